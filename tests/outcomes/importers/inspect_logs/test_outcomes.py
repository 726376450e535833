"""What a log's samples become: texts, scores, tokens, times."""

import numpy as np
import pandas as pd
import pytest
from inspect_ai import Epochs
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog
from inspect_ai.model import (
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    ContentImage,
    ContentText,
    ModelUsage,
)
from inspect_ai.scorer import model_graded_qa
from inspect_ai.solver import generate, solver

from prefillroute.cli.main import main
from prefillroute.outcomes.files import read_outcomes

# Inspect drops streams of its own unclosed; what is left of them must not be found during another file's tests.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Unclosed <MemoryObject:ResourceWarning",
    "ignore:Exception ignored in. <function MemoryObject:pytest.PytestUnraisableExceptionWarning",
)


def test_two_models_meet_through_the_command_line(tmp_path, evaluate, capsys, model, samples, right):
    evaluate(model("a", right), reasoning_effort="high")
    evaluate(model("b"), log_format="json", name="toy")
    evaluate(model("b"), name="other", dataset=samples()[:1])
    (tmp_path / "logs" / "listing.json").write_text("{}")
    out = tmp_path / "data" / "mine"
    renamed = "mockllm/a (reasoning_effort=high)=a-high"
    assert main(["import", "inspect", str(tmp_path / "logs"), "--out", str(out), "--target", renamed]) == 0
    printed = capsys.readouterr().out
    assert "4 queries, 2 targets, 7 outcomes; 3 queries have every target's" in printed
    assert "skipped 1: JSON file that is no log of Inspect" in printed
    table = read_outcomes(out)
    found = pd.DataFrame(table.correct, index=table.queries["query_id"], columns=table.targets)
    assert found.loc[["toy/one", "toy/two", "toy/three"], "a-high"].tolist() == [1, 1, 1]
    assert found.loc[["toy/one", "toy/two", "toy/three"], "mockllm/b"].tolist() == [1, 0, 0]
    assert np.isnan(found.loc["other/one", "a-high"])
    assert table.queries.set_index("query_id").loc["toy/two", "prompt"] == "What is 1+2?"
    assert set(table.queries["benchmark"]) == {"toy", "other"}
    assert "'a-high'" in (out / "pool.yaml").read_text()


def test_tokens_and_times_are_the_targets_own(evaluate, imported, model, samples, usage):
    usage.total_cost = 0.25
    same = model("a", "GRADE: C", seconds=0.3)  # the grader has the target's name
    log = evaluate(
        model("a", usage=usage, seconds=0.05), scorer=model_graded_qa(model=same), dataset=samples()[:1]
    )
    _, _, outcomes = imported(log)
    row = outcomes.iloc[0]
    assert (row["correct"], row["target"]) == (1.0, "mockllm/a")
    assert (row["prompt_tokens"], row["completion_tokens"], row["cost_usd"]) == (16, 7, 0.25)
    assert 0.05 <= row["latency_s"] < 0.3
    assert "ttft_s" not in outcomes


def test_usage_that_is_not_known(evaluate, imported, model, samples):
    log = evaluate(model(usage=ModelUsage()), dataset=samples()[:1])
    assert not {"prompt_tokens", "completion_tokens", "cost_usd"} & set(imported(log)[2])


def test_log_without_events_has_the_sums(tmp_path, evaluate, imported, model, samples, edited):
    def strip(content: EvalLog) -> None:
        content.samples[0].events = []

    log = edited(evaluate(model(), dataset=samples()[:1]), tmp_path / "stripped.eval", strip)
    outcomes = imported(log)[2]
    assert outcomes["completion_tokens"].tolist() == [7]
    assert "latency_s" not in outcomes


def test_first_token_time_and_category(evaluate, imported, model):
    @solver
    def stores():
        async def solve(state, generate):
            state.store.set("prefillroute:ttft_s", 0.5)
            return state

        return solve

    dataset = [
        Sample(id=1, input="p", target="2", metadata={"subject": "law", "ttft_s": 0.25}),
        Sample(id=2, input="q", target="2", metadata={"category": ["a"], "domain": 7}),
        Sample(id=3, input="r", target="2"),
    ]
    _, queries, outcomes = imported(evaluate(model(), dataset=dataset))
    assert queries["category"].tolist() == ["law", "7", "toy"]
    np.testing.assert_array_equal(outcomes["ttft_s"], [0.25, np.nan, np.nan])
    log = evaluate(model("b"), dataset=dataset[:1], solvers=[stores(), generate()])
    assert imported(log)[2]["ttft_s"].tolist() == [0.5]


def test_prompts(evaluate, imported, model, skipped):
    picture = ContentImage(image="data:image/png;base64,iVBORw0KGgo=")
    chat = [
        ChatMessageSystem(content="Be brief."),
        ChatMessageUser(content="Worked example."),
        ChatMessageAssistant(content="Its answer."),
        ChatMessageUser(content=[ContentText(text="And this?"), picture]),
    ]
    dataset = [
        Sample(id=1, input="x" * 20_000, target="2"),
        Sample(id=2, input=chat, target="2"),
        Sample(id=3, input="Which?", choices=["red", "blue"], target="A"),
        Sample(id=4, input=[ChatMessageSystem(content="Only this.")], target="2"),
        Sample(id="5/a b", input=[ChatMessageUser(content=[picture])], target="2"),
    ]
    collector, queries, _ = imported(evaluate(model(), dataset=dataset))
    assert dict(zip(queries["query_id"], queries["prompt"], strict=True)) == {
        "toy/1": "x" * 20_000,
        "toy/2": "Worked example.\n\nAnd this?",
        "toy/3": "Which?\n\nA. red\nB. blue",
        "toy/4": "Only this.",
    }
    assert skipped(collector) == {"sample without query text": 1}


def test_scores(evaluate, imported, model, gives):
    scores = {
        "C": 1,
        "I": 0,
        "P": 0.5,
        "N": 0,
        True: 1,
        0.25: 0.25,
        "0.75": 0.75,
        "Yes": 1,
        "true": 1,
        "no": 0,
        "False": 0,
    }
    dataset = [
        Sample(id=i, input=f"q{i}", metadata={"score": s}) for i, s in enumerate([*scores, {"f1": 0.5}])
    ]
    outcomes = imported(evaluate(model(), scorer=gives(), dataset=dataset))[2]
    assert outcomes["correct"].tolist() == [*scores.values(), 0.5]


def test_scores_on_another_scale_leave_their_task_out(evaluate, imported, model, gives, skipped):
    messages = (
        (7, "expected a number in [0, 1], found 7; choose another with --scorer or --metric"),
        (-0.5, "expected a number in [0, 1], found -0.5; choose another with --scorer or --metric"),
        ("B+", "expected a number in [0, 1], found 'B+'; choose another with --scorer or --metric"),
        ([1, 0], "expected a number in [0, 1], found [1, 0]; choose another with --scorer or --metric"),
        ({"a": 1, "b": 0}, "expected one value, found several; choose a, b with --metric"),
    )
    for number, (value, _) in enumerate(messages):
        dataset = [Sample(id=i, input=f"q{i}", metadata={"score": s}) for i, s in enumerate((1, value))]
        evaluate(model("a"), scorer=gives(), dataset=dataset, name=f"task{number}")
    evaluate(model("b"), scorer=gives(), dataset=dataset[:1], name="task0")
    log = evaluate(model("b"), name="other")
    collector, queries, _ = imported(log.parent)
    assert set(queries["benchmark"]) == {"other"}  # b's 1 in `task0` is no "right" either
    assert skipped(collector) == {
        f"task 'task{number}' left out: scorer 'gives': {message}": 2 + (number == 0)
        for number, (_, message) in enumerate(messages)
    }


def test_scorer_and_metric_options(
    tmp_path, evaluate, imported, capsys, model, gives, missing_at_first, skipped
):
    log = evaluate(model(), scorer=[missing_at_first(), gives({"a": 0.25, "b": 0.5})])
    collector, _, outcomes = imported(log)
    assert outcomes["correct"].tolist() == [1, 1]
    # The second scorer's value does not stand in for the first one's.
    assert skipped(collector) == {"sample without a score of 'missing_at_first'": 1}
    assert "task 'toy' has several scores (gives, missing_at_first); see --scorer" in collector.notes
    assert imported(log, scorer="gives", metric="b")[2]["correct"].tolist() == [0.5] * 3
    out = tmp_path / "out"
    assert main(["import", "inspect", str(log), "--out", str(out), "--scorer", "gives", "--metric", "c"]) == 1
    assert "expected one value, found no 'c'; choose a, b with --metric" in capsys.readouterr().err
    assert not out.exists()


def test_epochs_are_averaged(evaluate, imported, model, samples):
    said = iter(["2", "no", "2", "2"])
    log = evaluate(model(answer=lambda _: next(said)), dataset=samples()[:1], epochs=Epochs(4, "mode"))
    collector, _, outcomes = imported(log)
    assert outcomes["correct"].tolist() == [0.75]
    assert outcomes["completion_tokens"].tolist() == [7]
    assert collector.notes == ["1 outcomes are means over several epochs"]


def test_errors_limits_and_unscored_samples(evaluate, imported, model, gives, skipped):
    def answer(question: str) -> str:
        if question == "What is 1+2?":
            raise RuntimeError("the provider is down")
        return "2"

    log = evaluate(model(answer=answer), fail_on_error=False)
    collector, _, outcomes = imported(log)
    assert outcomes["query_id"].tolist() == ["toy/one", "toy/three"]
    assert skipped(collector) == {"sample that ended in an error": 1}
    unscored = evaluate(model("b"), scorer=gives(float("nan")), log_format="json")
    assert skipped(imported(unscored)[0]) == {"sample without a score of 'gives'": 3}
    nothing = evaluate(model("b"), scorer=[])
    assert skipped(imported(nothing)[0]) == {"sample without a score": 3}
    limited = evaluate(model("b", "no"), token_limit=1)
    assert imported(limited)[2]["correct"].tolist() == [0, 0, 0]


def test_samples_that_a_person_took_back(tmp_path, evaluate, imported, model, edited, skipped):
    def take_back(content: EvalLog) -> None:
        from inspect_ai.log import EvalSampleLimit, ProvenanceData  # noqa: PLC0415

        content.samples[0].invalidation = ProvenanceData(author="me", reason="wrong key")
        content.samples[1].limit = EvalSampleLimit(type="operator", limit=1)

    log = edited(evaluate(model()), tmp_path / "edited.eval", take_back)
    collector, queries, _ = imported(log)
    assert len(queries) == 1
    assert skipped(collector) == {"sample declared invalid": 1, "sample that an operator stopped": 1}
