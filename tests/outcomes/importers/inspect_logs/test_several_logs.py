"""Which of several logs counts, and what meets between them."""

import pytest
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, read_eval_log

from prefillroute.errors import UserError

# Inspect drops streams of its own unclosed; what is left of them must not be found during another file's tests.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Unclosed <MemoryObject:ResourceWarning",
    "ignore:Exception ignored in. <function MemoryObject:pytest.PytestUnraisableExceptionWarning",
)


def test_newest_log_wins_and_older_ones_fill_in(
    tmp_path, evaluate, imported, cells, model, samples, edited, skipped
):
    newest = evaluate(model(), dataset=samples()[:2], epochs=2)
    header = read_eval_log(newest, header_only=True).eval

    def older(content: EvalLog) -> None:
        content.eval.created = "2020-01-01T00:00:00+00:00"
        content.eval.task_id = header.task_id

    def other_run(content: EvalLog) -> None:
        content.eval.created = "2021-01-01T00:00:00+00:00"

    whole = evaluate(model(answer="no"), epochs=3, logs=tmp_path / "raw")
    edited(whole, tmp_path / "logs" / "retried.eval", older)
    collector, _, outcomes = imported(newest.parent)
    assert cells(outcomes) == {
        ("toy/one", "mockllm/a"): pytest.approx(2 / 3),  # its third epoch is the older log's
        ("toy/two", "mockllm/a"): 0,
        ("toy/three", "mockllm/a"): 0,
    }
    assert skipped(collector) == {"sample that a newer log of the task and target has": 4}
    (tmp_path / "logs" / "retried.eval").unlink()
    edited(whole, tmp_path / "logs" / "again.json", other_run)
    _, _, outcomes = imported(newest.parent)
    assert cells(outcomes)["toy/one", "mockllm/a"] == 1  # separate runs are not averaged
    assert cells(outcomes)["toy/three", "mockllm/a"] == 0


def test_shuffled_ids_meet_by_their_text(evaluate, imported, cells, model, samples):
    texts = [sample.input for sample in samples()]
    evaluate(model("a"), dataset=[Sample(input=text, target="2") for text in texts])
    log = evaluate(model("b"), dataset=[Sample(input=text, target="2") for text in reversed(texts)])
    collector, queries, outcomes = imported(log.parent)
    assert sorted(queries["prompt"]) == sorted(texts)
    assert outcomes["target"].value_counts().tolist() == [3, 3]
    assert "sample ids differ between logs" in collector.notes[0]


def test_revised_questions_and_shuffled_choices(evaluate, imported, model, skipped):
    for name, text, choices in (("a", "Old?", "xy"), ("b", "New?", "xy"), ("c", "New?", "yx")):
        log = evaluate(model(name), dataset=[Sample(id=1, input=text, choices=list(choices), target="A")])
    collector, queries, outcomes = imported(log.parent)
    assert queries["prompt"].tolist() in (["New?\n\nA. x\nB. y"], ["New?\n\nA. y\nB. x"])
    assert set(outcomes["target"]) == {"mockllm/b", "mockllm/c"}
    assert skipped(collector) == {"another text under the same query id": 1}


def test_modes_are_targets(tmp_path, evaluate, imported, model, samples):
    dataset = samples()[:1]
    thinking = {"chat_template_kwargs": {"enable_thinking": True}}
    evaluate(model("a"), dataset=dataset)
    evaluate(model("a"), dataset=dataset, extra_body=thinking)
    log = evaluate(model("a"), dataset=dataset, reasoning_effort="low", reasoning_tokens=100)
    names = {
        "mockllm/a",
        "mockllm/a (enable_thinking=true)",
        "mockllm/a (reasoning_effort=low, reasoning_tokens=100)",
    }
    assert set(imported(log.parent)[2]["target"]) == names
    with pytest.raises(
        UserError, match=r"--target: expected one of mockllm/a, mockllm/a .*, found mockllm/c"
    ):
        imported(log.parent, target=["mockllm/c=c"])


def test_different_task_arguments_are_noted(tmp_path, evaluate, imported, model, edited):
    def shots(content: EvalLog) -> None:
        content.eval.task_args = {"fewshot": 5}

    log = evaluate(model("a"))
    edited(evaluate(model("b"), logs=tmp_path / "raw"), log.parent / "b.eval", shots)
    assert imported(log.parent)[0].notes == ["task 'toy' was not run alike: fewshot differ between logs"]
