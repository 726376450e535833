"""RouterArena: JSON lines per model, for evaluation only."""

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf

from prefillroute.config.build import build
from prefillroute.errors import UserError
from prefillroute.outcomes.evaluation_only import EVALUATION_ONLY, is_evaluation_only, refuse_training
from prefillroute.outcomes.files import read_outcomes, write_outcomes
from prefillroute.outcomes.splits import LeaveOneBenchmarkOut, StratifiedSplit
from tests.shipped import CONF, options


def answer(index: str, model: str, score: float | None, run: int = 1, **fields: object) -> dict:
    result = None if score is None else {"score": score, "metric": "m", "inference_cost": 0.002 * run}
    return {
        "global_index": index,
        "question": f"Question {index}?",
        "llm_selected": model,
        "generated_answer": "\\boxed{A}",
        "token_usage": {"input_tokens": 10 * run, "output_tokens": 5, "total_tokens": 15},
        "success": True,
        "run_number": run,
        "evaluation_result": result,
    } | fields


@pytest.fixture
def clone(tmp_path, lines):
    folder = tmp_path / "RouterArena" / "cached_results"
    runs = [answer("AIME_112", "org/big", 1.0), answer("AIME_112", "org/big", 0.0, run=2)]
    lines(
        folder / "org_big.jsonl",
        [*runs, answer("ArcMMLU_7", "org/big", 1.0), answer("ArcMMLU_8", "org/big", None)],
    )
    lines(
        folder / "small.jsonl",
        [{key: value for key, value in answer("AIME_112", "x", 0.5).items() if key != "llm_selected"}],
    )
    lines(folder / "idle.jsonl", [answer("AIME_1", "idle", None)])
    (folder / "cut.jsonl").write_text('{"global_index": "AIME_1", "question": "Q", "evalua')
    return tmp_path / "RouterArena"


def test_scores_tokens_and_costs(clone, imported, cells):
    collector, queries, outcomes = imported("routerarena", clone)
    assert cells(outcomes) == {
        ("AIME_112", "org/big"): 0.5,
        ("ArcMMLU_7", "org/big"): 1.0,
        ("AIME_112", "small"): 0.5,
    }
    assert cells(outcomes, "prompt_tokens")["AIME_112", "org/big"] == 15
    assert cells(outcomes, "cost_usd")["AIME_112", "org/big"] == pytest.approx(0.003)
    assert dict(zip(queries["query_id"], queries["benchmark"], strict=True)) == {
        "AIME_112": "AIME",
        "ArcMMLU_7": "ArcMMLU",
    }
    assert collector.skipped["record without a score"].count == 2
    damaged = collector.skipped["file that could not be read to its end (what came before is taken)"]
    assert damaged.count == 1
    assert damaged.example.startswith(
        f"{clone}/cached_results/cut.jsonl: row 1: expected one object per line"
    )


def test_every_row_is_in_the_test_part_and_marked(clone, imported, tmp_path):
    _, queries, outcomes = imported("routerarena", clone)
    assert queries["split"].tolist() == ["test", "test"]
    assert queries[EVALUATION_ONLY].tolist() == [True, True]
    write_outcomes(tmp_path / "out", queries, outcomes)
    assert is_evaluation_only(read_outcomes(tmp_path / "out").queries).all()
    file = tmp_path / "out" / "queries.parquet"
    queries.assign(split=["test", "train"]).to_parquet(file)
    with pytest.raises(
        UserError,
        match=r"queries\.parquet: row 2: split: expected test, as the query is marked evaluation_only, found 'train'$",
    ):
        read_outcomes(tmp_path / "out")
    queries.assign(evaluation_only=["yes", "no"]).to_parquet(file)
    with pytest.raises(
        UserError, match=r"row 1: evaluation_only: expected true, false or an empty cell, found 'yes'$"
    ):
        read_outcomes(tmp_path / "out")


def arena(num_arena: int, num_others: int) -> pd.DataFrame:
    """A table of both: the arena's queries are marked, and the first of them is asked among the others, too."""
    rows = num_arena + num_others
    prompts = [f"arena {row}" for row in range(num_arena)] + [f"own {row}" for row in range(num_others)]
    if num_others:
        prompts[num_arena] = "arena  0"
    marked = pd.Series([True] * num_arena + [None] * num_others, dtype=object)
    benchmarks = np.resize(["math", "law"], rows)
    return pd.DataFrame(
        {
            "query_id": [str(row) for row in range(rows)],
            "benchmark": benchmarks,
            "category": benchmarks,
            "prompt": prompts,
            EVALUATION_ONLY: marked,
        }
    )


@pytest.fixture
def mixed(tmp_path):
    def write(queries: pd.DataFrame):
        grid = [
            (query, target, (int(query) + len(target)) % 3 / 2)
            for query in queries["query_id"]
            for target in ("a", "bb")
        ]
        write_outcomes(tmp_path, queries, pd.DataFrame(grid, columns=["query_id", "target", "correct"]))
        return read_outcomes(tmp_path)

    return write


def every_split() -> dict[str, object]:
    """Each option of `split`, as it is and with other settings."""
    found = {}
    for option in options("split"):
        node = OmegaConf.create({"seed": 0, "split": OmegaConf.load(CONF / "split" / f"{option}.yaml")})
        split = build(node.split)
        if hasattr(split, "left_out"):
            split.left_out = "law"
        found[option] = split
    return found | {
        "no column": StratifiedSplit(column=None, calibration_size=0.2),
        "little test": StratifiedSplit(test_size=0.01, column=None, seed=3),
        "another benchmark": LeaveOneBenchmarkOut("math", calibration_size=0.3),
    }


@pytest.mark.parametrize("name", every_split())
@pytest.mark.parametrize("has_split", [False, True])
def test_every_split_keeps_them_in_the_test_part(mixed, name, has_split):
    queries = arena(20, 60)
    if has_split:
        queries["split"] = ["test"] * 20 + ["train"] * 45 + ["test"] * 15
    split = every_split()[name].split(mixed(queries))
    parts = split.names(80)
    assert set(parts[:20]) == {"test"}
    # It asks what an arena query asks: to train on it would be to train on the arena.
    assert parts[20] in ("", "test")
    assert {"train", "test"} <= set(parts[21:])
    refuse_training(queries, np.concatenate([split.train, split.calibration]))


@pytest.mark.parametrize("name", every_split())
def test_every_split_refuses_an_arena_alone(mixed, name):
    outcomes = mixed(arena(20, 0))
    with pytest.raises(
        UserError,
        match=r"^split: expected queries to train on, found 20 of 20 for evaluation only .*; train on another pool$",
    ):
        every_split()[name].split(outcomes)


def test_shares_are_of_the_other_queries(mixed):
    split = StratifiedSplit(test_size=0.25, calibration_size=0.25).split(mixed(arena(100, 41)))
    assert (len(split.train), len(split.calibration), len(split.test)) == (20, 10, 110)


def test_a_split_that_trains_on_them_is_refused():
    queries = arena(3, 3)
    refuse_training(queries, np.array([3, 4, 5]))
    with pytest.raises(
        UserError,
        match=r"that are not marked evaluation_only, found 2, the first of them '2'; choose another split$",
    ):
        refuse_training(queries, np.array([3, 2, 1]))
