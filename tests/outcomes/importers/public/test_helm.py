"""HELM: a folder per run."""

import json

import numpy as np
import pytest

from prefillroute.errors import UserError


def stat(name: str, mean: float | None, count: int = 1, **fields: object) -> dict:
    return {"name": {"name": name, "split": "test"} | fields, "count": count, "sum": mean} | (
        {} if mean is None else {"mean": mean}
    )


def entry(instance: str, *stats: dict, **fields: object) -> dict:
    return {"instance_id": instance, "train_trial_index": 0, "stats": list(stats)} | fields


def write(
    folder, run: str, model: str, entries: list, instances: list | None = None, **arguments: str
) -> None:
    folder = folder / run.replace("/", "_")
    folder.mkdir(parents=True)
    spec = {
        "name": run,
        "scenario_spec": {"class_name": "S", "args": arguments},
        "adapter_spec": {"model": model},
    }
    (folder / "run_spec.json").write_text(json.dumps(spec))
    questions = [
        {"id": f"id{number}", "input": {"text": f"What is {number}?"}, "split": "test"} for number in (1, 2)
    ]
    (folder / "instances.json").write_text(json.dumps(questions if instances is None else instances))
    (folder / "per_instance_stats.json").write_text(json.dumps(entries))


TOKENS = (stat("num_prompt_tokens", 300.0), stat("num_output_tokens", 1.0), stat("inference_runtime", 0.25))


def test_runs_of_two_models(tmp_path, imported, cells):
    runs = tmp_path / "runs" / "v1"
    first = "mmlu:subject=law,method=joint,model=openai_gpt-4"
    write(
        runs,
        first,
        "openai/gpt-4",
        [
            entry("id1", stat("quasi_exact_match", 1.0), stat("exact_match", 0.0), *TOKENS),
            entry("id2", stat("exact_match", 1.0)),
            entry("id2", stat("exact_match", 0.0), train_trial_index=1),
            entry("id1", stat("exact_match", 1.0), perturbation={"name": "typos"}),
        ],
        subject="law",
    )
    # The owners' name of another model's run says more; the questions are the same.
    second = "mmlu:subject=law,method=joint,stop=none,model=a_b"
    write(
        runs,
        second,
        "a/b",
        [entry("id1", stat("exact_match", 1.0)), entry("id2", stat("num_bytes", 3.0))],
        subject="law",
    )
    write(
        runs,
        "gsm:model=a_b",
        "a/b",
        [entry("id1", stat("final_number_exact_match", 1.0), stat("exact_match", 0.0))],
    )
    collector, queries, outcomes = imported("helm", tmp_path)
    assert cells(outcomes) == {
        ("mmlu:subject=law/id1", "openai/gpt-4"): 0.0,
        ("mmlu:subject=law/id2", "openai/gpt-4"): 0.5,
        ("mmlu:subject=law/id1", "a/b"): 1.0,
        ("gsm/id1", "a/b"): 1.0,
    }
    key = ("mmlu:subject=law/id1", "openai/gpt-4")
    measured = [cells(outcomes, name)[key] for name in ("prompt_tokens", "completion_tokens", "latency_s")]
    assert measured == [300, 1, 0.25]
    assert np.isnan(cells(outcomes, "prompt_tokens")["gsm/id1", "a/b"])
    found = queries.set_index("query_id")
    assert found.loc["mmlu:subject=law/id1", ["benchmark", "category", "prompt"]].tolist() == [
        "mmlu",
        "law",
        "What is 1?",
    ]
    counts = {reason.partition(" (")[0]: entry.count for reason, entry in collector.skipped.items()}
    assert counts == {
        "copy of a question, changed to see whether the answer holds": 1,
        "instance without a score": 1,
    }
    assert collector.notes == [
        "2 rows repeat a query and target (up to 2 rows each) and became 1 soft labels, their means"
    ]


def test_another_metric(tmp_path, imported, cells):
    write(tmp_path, "mmlu:model=m", "m", [entry("id1", stat("exact_match", 0.0), stat("f1_score", 0.75))])
    assert cells(imported("helm", tmp_path, metric="f1_score")[2]) == {("mmlu/id1", "m"): 0.75}


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        (
            "per_instance_stats.json",
            '[{"instance_id": "id1", "sta',
            "expected a whole JSON file, found a damaged one",
        ),
        ("per_instance_stats.json", "{}", "expected a list as HELM writes it, found dict"),
        ("run_spec.json", "{}", "expected adapter_spec.model, found no adapter_spec"),
        ("run_spec.json", None, "expected this file of HELM beside the others, found none"),
        ("instances.json", "[", "expected a whole JSON file, found a damaged one"),
    ],
)
def test_a_damaged_run_is_left_out_unless_it_is_the_only_one(tmp_path, imported, cells, file, content, said):
    write(tmp_path, "mmlu:model=bad", "bad", [entry("id1", stat("exact_match", 1.0))])
    path = tmp_path / "mmlu:model=bad" / file
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(UserError) as caught:
        imported("helm", tmp_path)
    assert str(caught.value).startswith(f"{path}: {said}")
    for name in ("a", "z"):
        write(tmp_path, f"mmlu:model={name}", name, [entry("id1", stat("exact_match", 1.0))])
    collector, _, outcomes = imported("helm", tmp_path)
    assert cells(outcomes) == {("mmlu/id1", "a"): 1.0, ("mmlu/id1", "z"): 1.0}
    assert collector.skipped["run that could not be read"].example == str(caught.value)


def test_questions_that_are_not_there(tmp_path, imported):
    write(
        tmp_path,
        "mmlu:model=m",
        "m",
        [entry("id9", stat("exact_match", 1.0)), entry("id1", stat("exact_match", 3.0))],
    )
    collector, _, outcomes = imported("helm", tmp_path)
    assert outcomes.empty
    assert {reason: entry.count for reason, entry in collector.skipped.items()} == {
        "a score of column exact_match that is none": 1,
        "record without query text": 1,
    }
