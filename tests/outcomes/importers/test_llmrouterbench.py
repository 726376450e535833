"""LLMRouterBench's release."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from prefillroute.outcomes.files import write_outcomes
from prefillroute.outcomes.importers import llmrouterbench


def record(index: int, **entries: object) -> dict:
    base = {"index": index, "origin_query": f"query {index}", "prompt": f"Q: query {index} A:", "score": 1.0}
    return base | {"prompt_tokens": 20, "completion_tokens": 5, "cost": 0.001} | entries


def write_result(
    root: Path, dataset: str, split: str, model: str, stamp: str, records: list, **top: object
) -> Path:
    file = root / dataset / split / model / f"{dataset}-{split}-{model}-{stamp}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "dataset_name": dataset,
        "split": split,
        "model_name": model,
        "demo": False,
        "records": records,
    } | top
    file.write_text(json.dumps(content))
    return file


def test_llmrouterbench(tmp_path, collected, cells):
    root = tmp_path / "results" / "bench"
    write_result(root, "aime", "hybrid", "gpt-5", "20250901_120000", [record(1, score=0.0), record(2)])
    write_result(root, "aime", "hybrid", "gpt-5", "20251001_120000", [record(1), record(2, score=0.5)])
    write_result(root, "aime", "hybrid", "gpt-5", "20251101_120000", [record(1, score=0.0)], demo=True)
    write_result(root, "aime", "hybrid", "glm", "20251001_120000", [
        record(1, cost=0.0), record(2, score=None), record(3, score=7), record(4, origin_query="", prompt=""),
        record(5, origin_query=[{"role": "system", "content": "be"}, {"role": "user", "content": "kind"}]),
        {"score": 1},
    ])  # fmt: skip
    write_result(root, "gpqa", "test", "gpt-5", "20251001_120000", [record(1, origin_query=None, score=True)])
    broken = write_result(root, "gpqa", "test", "glm", "20251001_120000", [])
    broken.write_text('{"records": [')
    collector, queries, outcomes = collected(llmrouterbench, tmp_path)
    assert cells(outcomes) == {
        ("aime/hybrid/1", "gpt-5"): 1.0,
        ("aime/hybrid/2", "gpt-5"): 0.5,
        ("aime/hybrid/1", "glm"): 1.0,
        ("aime/hybrid/5", "glm"): 1.0,
        ("gpqa/test/1", "gpt-5"): 1.0,
    }
    prompts = queries.set_index("query_id")["prompt"]
    assert prompts["aime/hybrid/1"] == "query 1"
    assert prompts["aime/hybrid/5"] == "be\n\nkind"
    assert prompts["gpqa/test/1"] == "Q: query 1 A:"
    assert set(queries["benchmark"]) == {"aime", "gpqa"}
    assert np.isnan(cells(outcomes, "cost_usd")[("aime/hybrid/1", "glm")])
    assert cells(outcomes, "cost_usd")[("aime/hybrid/1", "gpt-5")] == 0.001
    assert {reason: entry.count for reason, entry in collector.skipped.items()} == {
        "demo run": 1,
        "older file of the same dataset, split and model": 1,
        "no score": 1,
        "score outside [0, 1]": 1,
        "record without query text": 1,
        "record without index": 1,
        "not a whole JSON file": 1,
    }
    assert collector.notes == ["1 outcomes say cost 0 (run locally): taken as unknown"]
    write_outcomes(tmp_path / "out", queries, outcomes)


@pytest.mark.parametrize("below", ["", "results", "results/bench"])
def test_llmrouterbench_is_found_from_any_level(tmp_path, below):
    write_result(tmp_path / "results" / "bench", "aime", "hybrid", "gpt-5", "20250901_120000", [record(1)])
    assert len(llmrouterbench.find(tmp_path / below)) == 1


def test_llmrouterbench_broken_newest_file_falls_back(tmp_path, collected, cells):
    write_result(tmp_path, "aime", "hybrid", "gpt-5", "20250901_120000", [record(1, score=0.25)])
    write_result(tmp_path, "aime", "hybrid", "gpt-5", "20251001_120000", []).write_text("{")
    collector, _, outcomes = collected(llmrouterbench, tmp_path)
    assert cells(outcomes) == {("aime/hybrid/1", "gpt-5"): 0.25}
    assert collector.skipped["not a whole JSON file"].count == 1


@pytest.mark.parametrize(
    ("newest", "older"),
    [
        ("20251001_120000", "20250901_130000"),
        ("20251001_120000", "20251001_110000"),
        ("20251001120000", "20251001"),  # a day alone is its midnight
        ("20251002", "20251001_120000"),
        ("20251001", "results"),  # a name with a date comes before one without
    ],
)
def test_llmrouterbench_newest_by_name_whatever_was_copied_last(tmp_path, collected, cells, newest, older):
    write_result(tmp_path, "aime", "hybrid", "gpt-5", newest, [record(1, score=0.25)])
    written = write_result(tmp_path, "aime", "hybrid", "gpt-5", older, [record(1, score=0.75)])
    os.utime(written, (4e9, 4e9))
    assert cells(collected(llmrouterbench, tmp_path)[2]) == {("aime/hybrid/1", "gpt-5"): 0.25}


def test_llmrouterbench_newest_by_time_where_names_have_no_date(tmp_path, collected, cells):
    for name, time, score in (("a", 2e9, 0.25), ("b", 1e9, 0.75)):
        os.utime(
            write_result(tmp_path, "aime", "hybrid", "gpt-5", name, [record(1, score=score)]), (time, time)
        )
    assert cells(collected(llmrouterbench, tmp_path)[2]) == {("aime/hybrid/1", "gpt-5"): 0.25}
