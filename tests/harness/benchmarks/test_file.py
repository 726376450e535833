"""A user's own questions."""

import json

import pandas as pd
import pytest

from prefillroute.config.build import build
from prefillroute.config.compose import compose_run
from prefillroute.errors import UserError
from prefillroute.harness.benchmarks.file import File
from prefillroute.harness.scorers.judge import Judge
from prefillroute.harness.scorers.letter import Letter
from prefillroute.harness.scorers.short_answer import ShortAnswer
from prefillroute.outcomes.importers import log
from prefillroute.outcomes.importers.collector import Collector
from prefillroute.outcomes.importers.contract import Given


def test_csv(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text('prompt,answer,category,extra\n"What is 2+2?",4,sums,x\n"Which, and\nwhy?",cat,,\n')
    benchmark = File(str(file))
    first, second = benchmark.questions()
    assert (benchmark.name, first.prompt, first.answer, first.category) == (
        "mine",
        "What is 2+2?",
        "4",
        "sums",
    )
    assert (second.prompt, second.category, dict(second.facts)) == ("Which, and\nwhy?", "mine", {})
    assert isinstance(benchmark.scorer(), ShortAnswer)


def test_jsonl_with_letters(tmp_path):
    file = tmp_path / "mine.jsonl"
    rows = [
        {"query_id": 7, "prompt": "A or B?", "answer": "b", "num_options": 2},
        {"query_id": "x", "prompt": "Any?", "answer": "K", "num_options": None},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    benchmark = File(str(file), name="quiz", scoring="letter")
    first, second = benchmark.questions()
    assert (first.query_id, first.answer, dict(first.facts)) == ("7", "B", {"num_options": 2})
    assert (second.query_id, second.category, dict(second.facts)) == ("x", "quiz", {})
    assert isinstance(benchmark.scorer(), Letter)


def test_zero_and_false_are_answers(tmp_path):
    file = tmp_path / "mine.jsonl"
    file.write_text('{"prompt": "1-1?", "answer": 0}\n{"prompt": "Is it?", "answer": false}\n')
    assert [q.answer for q in File(str(file)).questions()] == ["0", "false"]


@pytest.mark.parametrize("name", ["q.csv", "q.tsv.gz", "q.parquet", "q.json", "q.jsonl"])
def test_every_table_that_import_takes(tmp_path, name):
    rows = pd.DataFrame({"Prompt": ["1-1?", "0"], "answer": ["0", "false"], "query_id": ["a ", None]})
    file = tmp_path / name
    if "sv" in name:
        rows.to_csv(file, index=False, sep="\t" if "tsv" in name else ",")
    elif name.endswith("parquet"):
        rows.to_parquet(file)
    else:
        rows.to_json(file, orient="records", lines=name.endswith("l"))
    first, second = File(str(file)).questions()
    assert (first.query_id, first.prompt, first.answer) == ("a ", "1-1?", "0")
    assert (second.query_id, second.prompt, second.answer) == ("5feceb66ffc86f38", "0", "false")


def test_half_emojis_and_other_encodings(tmp_path):
    (tmp_path / "q.jsonl").write_text('{"prompt": "cut emoji \\ud83d", "answer": "x"}\n')
    with pytest.raises(
        UserError,
        match=r"q.jsonl: row 1: prompt: expected whole characters, found half of one \(U\+D83D at character 11",
    ):
        File(str(tmp_path / "q.jsonl")).questions()
    (tmp_path / "q.csv").write_bytes("prompt,answer\nKäse?,ja\n".encode("cp1252"))
    assert File(str(tmp_path / "q.csv"), encoding="cp1252").questions()[0].prompt == "Käse?"
    with pytest.raises(
        UserError, match=r"line 2: expected UTF-8, found byte 0xe4; .*: benchmark.encoding=cp1252$"
    ):
        File(str(tmp_path / "q.csv")).questions()
    with pytest.raises(UserError, match=r"^benchmark.encoding: expected an encoding.*, found zip"):
        File(str(tmp_path / "q.csv"), encoding="zip")


def test_id_is_that_of_an_imported_log(tmp_path):
    (tmp_path / "q.csv").write_text("prompt,answer\nWhat  is 2+2?,4\n")
    (tmp_path / "log.csv").write_text("prompt,target,correct\nWhat  is 2+2?,m,1\n")
    collector = Collector()
    log.read(Given.at([tmp_path / "log.csv"], log.find), collector, lambda _: None)
    (question,) = File(str(tmp_path / "q.csv")).questions()
    assert list(collector.frames()[0]["query_id"]) == [question.query_id]


def test_judge(tmp_path):
    judge = File("q.csv", scoring="judge", judge_model="openai/gpt-x", judge_structured=False).scorer()
    assert isinstance(judge, Judge)
    assert judge.model == "openai/gpt-x"


@pytest.mark.parametrize(
    ("text", "scoring", "message"),
    [
        (
            "prompt,reply\na,b\n",
            "short_answer",
            r"row 1: expected the columns prompt, answer, found prompt, reply; add answer",
        ),
        ("prompt,answer\na,b\n ,c\n", "short_answer", r"row 2: prompt: expected text, found an empty cell"),
        ("prompt,answer\na,\n", "short_answer", r"row 1: answer: expected text"),
        ("prompt,answer\na,cat\n", "letter", r"row 1: answer: .*letter from A to Z, found 'CAT'"),
        (
            "prompt,answer,num_options\na,D,3\n",
            "letter",
            r"row 1: answer: expected a letter from A to C, found 'D'",
        ),
        (
            "prompt,answer,num_options\na,D,many\n",
            "letter",
            r"row 1: num_options: expected a whole number from 1 to 26, found 'many'",
        ),
        ("prompt,answer,num_options\na,D,4.5\n", "letter", r"num_options: .*found '4\.5'"),
        ("prompt,answer\n", "letter", "expected at least one row, found none"),
        ("prompt,answer\na,b,c\n", "letter", "row 1: expected 2 cells as in the header, found 3"),
    ],
)
def test_bad_files(tmp_path, text, scoring, message):
    file = tmp_path / "mine.csv"
    file.write_text(text)
    with pytest.raises(UserError, match=message):
        File(str(file), scoring=scoring).questions()


def test_no_path_names_the_key():
    with pytest.raises(UserError, match=r"^benchmark\.path: expected your file of questions, found null"):
        build(compose_run(["benchmark=file"], config_name="collect").benchmark)
    with pytest.raises(UserError, match=r"benchmark\.path=/nowhere\.csv: expected .*, found no such file"):
        File("/nowhere.csv").questions()
    with pytest.raises(
        UserError, match=r"benchmark\.scoring: expected one of short_answer, letter, judge, found magic"
    ):
        File("q.csv", scoring="magic")


@pytest.mark.parametrize("option", ["mmlu_pro", "hle", "starter", "file"])
def test_options_build(option):
    config = compose_run(
        [f"benchmark={option}", "benchmark.path=q.csv"] if option == "file" else [f"benchmark={option}"],
        config_name="collect",
    )
    benchmark = build(config.benchmark)
    assert benchmark.name == ("q" if option == "file" else option)
    assert benchmark.scorer().identity
