"""RouteLLM's responses."""

import json

import pytest

from prefillroute.errors import UserError
from prefillroute.outcomes.importers import routellm


def test_routellm(tmp_path, collected, cells):
    mmlu = tmp_path / "routellm" / "evals" / "mmlu"
    (mmlu / "responses").mkdir(parents=True)
    (mmlu / "responses" / "mmlu_abstract_algebra.csv").write_text(
        'prompt,mixtral,gpt-4\n"Find it.\nA. 0\nAnswer:",True,False\n'
        "seen before,True,True\n,True,True\nodd,maybe,True\n"
    )
    (mmlu / "contaminated_prompts.jsonl").write_text(json.dumps({"eval_prompt": "seen before"}) + "\n")
    gsm8k = tmp_path / "routellm" / "evals" / "gsm8k"
    gsm8k.mkdir()
    (gsm8k / "gsm8k_responses.csv").write_text(
        'prompt,mixtral,gpt-4,mixtral_response,gpt-4_response\nHow many?,False,True," Eight, or so",\n'
    )
    collector, queries, outcomes = collected(routellm, tmp_path)
    assert cells(outcomes) == {
        ("gsm8k:gsm8k:1", "mixtral"): 0,
        ("gsm8k:gsm8k:1", "gpt-4"): 1,
        ("mmlu:abstract_algebra:1", "mixtral"): 1,
        ("mmlu:abstract_algebra:1", "gpt-4"): 0,
        ("mmlu:abstract_algebra:4", "gpt-4"): 1,
    }
    assert cells(outcomes, "completion_tokens")[("gsm8k:gsm8k:1", "mixtral")] == 3
    found = queries.set_index("query_id")
    assert tuple(found.loc["mmlu:abstract_algebra:1", ["benchmark", "category"]]) == (
        "mmlu",
        "abstract_algebra",
    )
    assert found.loc["mmlu:abstract_algebra:1", "prompt"] == "Find it.\nA. 0\nAnswer:"
    assert {reason: entry.count for reason, entry in collector.skipped.items()} == {
        "contaminated prompt (the owners leave it out)": 1,
        "record without query text": 1,
        "no True or False": 1,
    }


def test_routellm_wrong_columns(tmp_path, collected):
    (tmp_path / "x_responses.csv").write_text("question,answer\na,b\n")
    with pytest.raises(
        UserError, match=r"expected a column prompt and one per model, found question, answer"
    ):
        collected(routellm, tmp_path)
