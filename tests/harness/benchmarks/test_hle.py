"""Humanity's Last Exam, from files in the layout that its owners publish."""

import httpx
import pytest
from huggingface_hub.errors import GatedRepoError

from prefillroute.errors import UserError
from prefillroute.harness.benchmarks import published as loader
from prefillroute.harness.benchmarks.hle import HLE
from prefillroute.harness.scorers.judge import Judge


def record(name: str, **entries: object) -> dict:
    base = {
        "id": name,
        "question": f"Which {name}?\n",
        "image": "",
        "image_preview": None,
        "answer": "42",
        "answer_type": "exactMatch",
        "author_name": "A. N.",
        "rationale": "Because.",
        "rationale_image": None,
        "raw_subject": "Topology",
        "category": "Math",
        "canary": "x",
    }
    return base | entries


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_questions_with_an_image_are_left_out_and_counted(published, caplog, form):
    image = "data:image/png;base64,iVBORw0KGgo="
    folder = published([record("a"), record("b", image=image), record("c", category="Law")], form=form)
    benchmark = HLE(path=str(folder))
    first, second = benchmark.questions()
    assert (first.query_id, first.category, first.prompt, first.answer) == ("hle:a", "Math", "Which a?", "42")
    assert dict(first.facts) == {"answer_type": "exactMatch", "raw_subject": "Topology"}
    assert (second.query_id, second.category) == ("hle:c", "Law")
    assert benchmark.num_with_image == 1
    assert caplog.messages == ["hle: 1 of 3 questions show an image and are left out"]


def test_answer_type(published):
    folder = published([record("a"), record("b", answer_type="multipleChoice", answer="B")])
    asked = HLE(path=str(folder), answer_type="multipleChoice").questions()
    assert [q.query_id for q in asked] == ["hle:b"]
    with pytest.raises(UserError, match=r"benchmark\.answer_type: expected exactMatch, .*, found both"):
        HLE(answer_type="both")


def test_empty_answer_is_named(published):
    folder = published([record("a"), record("b", answer="")])
    with pytest.raises(UserError, match=r"row 2: answer: expected text, found an empty one"):
        HLE(path=str(folder)).questions()


def test_judge(monkeypatch):
    for name in ("OPENAI_API_KEY", "AZUREAI_OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    judge = HLE(
        judge_model="openai/gpt-x", judge_price_in=1.0, judge_price_out=2.0, judge_attempts=5
    ).scorer()
    assert isinstance(judge, Judge)
    assert (judge.model, judge.price_in, judge.price_out, judge.attempts) == ("openai/gpt-x", 1.0, 2.0, 5)
    with pytest.raises(UserError, match="expected both prices or neither"):
        HLE(judge_price_in=1.0)


@pytest.mark.usefixtures("no_hub")
def test_without_the_hub():
    with pytest.raises(UserError, match=r"^data set cais/hle: expected it from .* with benchmark\.path=$"):
        HLE().questions()


def test_terms_that_are_not_accepted(monkeypatch):
    def refuse(*_, **__):
        request = httpx.Request("GET", "https://huggingface.co/datasets/cais/hle")
        raise GatedRepoError("403", response=httpx.Response(403, request=request))

    monkeypatch.setattr(loader, "snapshot_download", refuse)
    with pytest.raises(
        UserError, match=r"accept them at https://huggingface\.co/datasets/cais/hle .*HF_TOKEN"
    ):
        HLE().questions()


def test_what_is_asked_of_the_hub(published, monkeypatch):
    folder = published([record("a")])
    calls = []

    def download(repo, **options):
        calls.append((repo, options))
        return str(folder)

    monkeypatch.setattr(loader, "snapshot_download", download)
    assert len(HLE(revision="abc").questions()) == 1
    options = {"repo_type": "dataset", "revision": "abc", "allow_patterns": ["data/test-*.parquet"]}
    assert calls == [("cais/hle", options)]
