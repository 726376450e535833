"""MMLU-Pro's questions, from files in the layout that its owners publish."""

import json

import pytest

from prefillroute.errors import UserError
from prefillroute.harness.benchmarks.mmlu_pro import REPO, MMLUPro
from prefillroute.harness.scorers.letter import Letter
from prefillroute.outcomes.importers import mmlu_pro
from prefillroute.outcomes.importers.collector import Collector
from prefillroute.outcomes.importers.contract import Given


def record(number: int, **entries: object) -> dict:
    base = {
        "question_id": number,
        "question": f" What is {number}? ",
        "options": ["first ", "second", "third", "N/A"],
        "answer": "B",
        "answer_index": 1,
        "cot_content": "",
        "category": "math",
        "src": "ori_mmlu-abstract_algebra",
    }
    return base | entries


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_questions(published, form):
    folder = published([record(70), record(71, answer="C", category="law")], form=form)
    first, second = MMLUPro(path=str(folder)).questions()
    assert first.query_id == "mmlu_pro:70"
    assert first.prompt == "What is 70?\n\nA. first\nB. second\nC. third"
    assert (first.category, first.answer, first.facts["num_options"]) == ("math", "B", 3)
    assert (second.query_id, second.category, second.answer) == ("mmlu_pro:71", "law", "C")
    assert isinstance(MMLUPro().scorer(), Letter)


def test_questions_join_the_imported_ones(published, tmp_path):
    records = [record(70), record(71, question="Two\n\nlines?", options=["a", "b"])]
    result = tmp_path / "math_result.json"
    result.write_text(json.dumps([entry | {"pred": "B", "model_outputs": "x"} for entry in records]))
    collector = Collector()
    mmlu_pro.read(Given.at([result], mmlu_pro.find), collector, lambda _: None)
    imported = collector.frames()[0][["query_id", "category", "prompt"]]
    asked = [(q.query_id, q.category, q.prompt) for q in MMLUPro(path=str(published(records))).questions()]
    assert asked == list(imported.itertuples(index=False, name=None))


def test_split_and_single_file(published):
    published([record(1)], split="validation")
    folder = published([record(2), record(3)])
    assert [q.query_id for q in MMLUPro("validation", str(folder)).questions()] == ["mmlu_pro:1"]
    file = folder / "data" / "test-00000-of-00001.parquet"
    assert [q.query_id for q in MMLUPro(path=str(file)).questions()] == ["mmlu_pro:2", "mmlu_pro:3"]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"answer": "D"}, r"row 2: answer: expected the letter of one of 3 options, found 'D'"),
        ({"answer": ""}, r"row 2: answer: .*found ''"),
        ({"question": None}, r"row 2: expected a record of TIGER-Lab/MMLU-Pro, found another"),
        ({"options": None}, r"row 2: expected a record of TIGER-Lab/MMLU-Pro, found another"),
    ],
)
def test_bad_record(published, entries, message):
    folder = published([record(1), record(2, **entries)])
    with pytest.raises(UserError, match=message):
        MMLUPro(path=str(folder)).questions()


def test_bad_files(published, tmp_path):
    with pytest.raises(UserError, match=r"benchmark\.path=/nowhere: .*found no such file or folder"):
        MMLUPro(path="/nowhere").questions()
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"found no test\*\.parquet and no test\*\.jsonl"):
        MMLUPro(path=str(tmp_path / "empty")).questions()
    (tmp_path / "x.zip").touch()
    with pytest.raises(UserError, match=r"expected a \.parquet or \.jsonl file, found suffix '\.zip'"):
        MMLUPro(path=str(tmp_path / "x.zip")).questions()
    folder = published([{"question_id": 1, "question": "?"}])
    with pytest.raises(
        UserError, match=r"found question_id, question; options, answer, category, src missing"
    ):
        MMLUPro(path=str(folder)).questions()
    file = folder / "data" / "test-00000-of-00001.parquet"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"test-00000-of-00001\.parquet: expected a whole Parquet file"):
        MMLUPro(path=str(folder)).questions()


@pytest.mark.usefixtures("no_hub")
def test_without_the_hub_one_line_says_the_way_out():
    with pytest.raises(UserError) as caught:
        MMLUPro().questions()
    message = str(caught.value)
    assert message.startswith(
        f"data set {REPO}: expected it from the Hugging Face hub, found no way to download it ("
    )
    assert message.endswith("or give a local copy with benchmark.path=")
    assert "\n" not in message
