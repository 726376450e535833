import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prefillroute.errors import UserError
from prefillroute.outcomes.files import read_outcomes, write_outcomes, write_table
from prefillroute.outcomes.table import MEASURES


def pivot(queries: pd.DataFrame, pairs: pd.DataFrame, targets: list[str], measure: str) -> np.ndarray:
    """What the dense matrix must be, by pandas."""
    wide = pairs.pivot(index="query_id", columns="target", values=measure)
    return wide.reindex(index=queries["query_id"], columns=targets).to_numpy(dtype=float)


def test_matrices_equal_a_pivot(frames, tmp_path):
    queries, pairs = frames(num_queries=60, num_targets=4, missing=0.3)
    write_outcomes(tmp_path, queries, pairs.sample(frac=1, random_state=1))
    targets = ["m2", "m0"]
    found = read_outcomes(tmp_path, targets)
    assert found.targets == ("m2", "m0")
    for measure in ("correct", *MEASURES):
        wanted = pivot(queries, pairs, targets, measure)
        wanted = wanted[~np.isnan(pivot(queries, pairs, targets, "correct")).all(axis=1)]
        np.testing.assert_array_equal(getattr(found, measure), wanted)


def test_queries_without_any_outcome_are_left_out(frames, tmp_path):
    queries, pairs = frames(num_queries=10, num_targets=3)
    pairs = pairs[~((pairs["query_id"] == "q4") & (pairs["target"] != "m2"))]
    write_outcomes(tmp_path, queries, pairs)
    assert len(read_outcomes(tmp_path)) == 10
    assert "q4" not in set(read_outcomes(tmp_path, ["m0", "m1"]).queries["query_id"])


def test_properties(frames, tmp_path):
    queries, pairs = frames(num_queries=30, missing=0.2)
    pairs["correct"] = np.linspace(0, 1, len(pairs))
    write_outcomes(tmp_path, queries, pairs)
    found = read_outcomes(tmp_path, correct_threshold=0.7)
    wanted = pd.DataFrame(found.correct).map(lambda value: value if np.isnan(value) else float(value >= 0.7))
    np.testing.assert_array_equal(found.labels, wanted)
    np.testing.assert_array_equal(found.complete, ~wanted.isna().any(axis=1))
    part = found.select(np.array([5, 2]))
    assert list(part.queries["query_id"]) == [found.queries["query_id"][5], found.queries["query_id"][2]]
    np.testing.assert_array_equal(part.cost_usd, found.cost_usd[[5, 2]])
    assert part.correct_threshold == 0.7


def test_boolean_correct_and_null_are_read(frames, tmp_path):
    queries, pairs = frames(num_queries=5, num_targets=2)
    pairs["correct"] = pd.array([True, False, None, True, False] * 2, dtype="boolean")
    pairs.drop(columns=list(MEASURES)).to_parquet(tmp_path / "outcomes.parquet")
    queries.to_parquet(tmp_path / "queries.parquet")
    found = read_outcomes(tmp_path)
    np.testing.assert_array_equal(found.correct.ravel(), [1, 0, np.nan, 1, 0] * 2)
    assert np.isnan(found.cost_usd).all()


def broken(queries: pd.DataFrame, pairs: pd.DataFrame, case: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    if case == "duplicate pair":
        return queries, pd.concat([pairs, pairs.iloc[[4]]], ignore_index=True)
    if case == "duplicate query":
        return pd.concat([queries, queries.iloc[[1]]], ignore_index=True), pairs
    if case == "unknown query":
        return queries.iloc[1:].reset_index(drop=True), pairs
    if case == "empty prompt":
        return queries.assign(
            prompt=["  " if i == 2 else text for i, text in enumerate(queries["prompt"])]
        ), pairs
    if case == "missing column":
        return queries.drop(columns="category"), pairs
    if case == "missing outcome column":
        return queries, pairs.drop(columns="correct")
    if case == "split value":
        return queries.assign(split="valid"), pairs
    if case == "prompt type":
        return queries.assign(prompt=range(len(queries))), pairs
    column, value = case.split("=")
    return queries, pairs.assign(**{column: [float(value) if i == 7 else 0.5 for i in range(len(pairs))]})


CASES = {
    "duplicate pair": r"row \d+: expected one outcome of target 'm1' on query 'q1', found a second",
    "duplicate query": r"row \d+: query_id: expected every query once, found 'q1'",
    "unknown query": r"row 1: query_id: expected one that is in queries.parquet, found 'q0'",
    "empty prompt": r"row 3: prompt of query 'q2': expected text, found an empty one",
    "missing column": r"expected the columns query_id, benchmark, category, prompt, found .*; add 'category'",
    "missing outcome column": r"expected the columns .*; add 'correct'",
    "split value": r"row 1: split: expected one of train, calibration, test, found 'valid'",
    "prompt type": r"row 1: prompt: expected text, found 0",
    "correct=1.5": r"row 8: correct: expected a number in \[0, 1\], found 1.5",
    "correct=-0.1": r"row 8: correct: .*found -0.1",
    "prompt_tokens=-3": r"row 8: prompt_tokens: expected a finite number not below 0, found -3",
    "cost_usd=inf": r"row 8: cost_usd: .*found inf",
    "latency_s=-1": r"row 8: latency_s: .*found -1",
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("when", ["write", "read"])
def test_bad_tables_are_refused_with_file_and_row(frames, tmp_path, case, when):
    queries, pairs = broken(*frames(num_queries=8, num_targets=3), case)
    if when == "read":
        queries.to_parquet(tmp_path / "queries.parquet")
        pairs.to_parquet(tmp_path / "outcomes.parquet")
    with pytest.raises(UserError, match=CASES[case]) as caught:
        write_outcomes(tmp_path, queries, pairs) if when == "write" else read_outcomes(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)
    if when == "write":
        assert list(tmp_path.iterdir()) == []


def test_wrong_types_in_outcomes(frames, tmp_path):
    queries, pairs = frames(num_queries=4)
    queries.to_parquet(tmp_path / "queries.parquet")
    pairs.assign(correct="yes").to_parquet(tmp_path / "outcomes.parquet")
    with pytest.raises(UserError, match=r"column 'correct': expected numbers, found .*string"):
        read_outcomes(tmp_path)
    pairs.assign(target=range(len(pairs))).to_parquet(tmp_path / "outcomes.parquet")
    with pytest.raises(UserError, match="column 'target': expected text, found int64"):
        read_outcomes(tmp_path)


def test_gaps_in_columns_of_whole_numbers_are_unknown(frames, tmp_path):
    queries, outcomes = frames(num_queries=3)
    outcomes["prompt_tokens"] = outcomes["prompt_tokens"].astype("Int64")
    outcomes.loc[1, "prompt_tokens"] = pd.NA
    write_outcomes(tmp_path, queries, outcomes)
    found = read_outcomes(tmp_path).prompt_tokens
    assert np.isnan(found).sum() == 1
    assert np.nansum(found) == outcomes["prompt_tokens"].sum()


def test_a_missing_name_in_outcomes_is_refused_with_its_row(frames, tmp_path):
    queries, outcomes = frames(num_queries=3)
    write_outcomes(tmp_path, queries, outcomes)
    for column in ("query_id", "target"):
        changed = outcomes.astype({column: object})
        changed.loc[[4, 6], column] = None
        changed.to_parquet(tmp_path / "outcomes.parquet")
        with pytest.raises(UserError, match=rf"outcomes\.parquet: row 5: {column}: expected text, found an"):
            read_outcomes(tmp_path)


def test_unknown_target_names_those_there_are(frames, tmp_path):
    write_outcomes(tmp_path, *frames(num_queries=4))
    with pytest.raises(
        UserError, match="expected outcomes of target 'gpt-9', found only those of m0, m1, m2"
    ):
        read_outcomes(tmp_path, ["m0", "gpt-9"])


def test_missing_folder_says_the_command(tmp_path):
    with pytest.raises(
        UserError, match=r"queries.parquet: .*found no such file; make it with: prefillroute import x"
    ):
        read_outcomes(tmp_path / "nothing", import_hint="prefillroute import x")


@pytest.mark.parametrize("name", ["queries.parquet", "outcomes.parquet"])
def test_truncated_parquet(frames, tmp_path, name):
    write_outcomes(tmp_path, *frames())
    whole = (tmp_path / name).read_bytes()
    for length in (0, 3, len(whole) // 2, len(whole) - 1):
        (tmp_path / name).write_bytes(whole[:length])
        with pytest.raises(UserError, match=f"{name}: expected a whole Parquet file"):
            read_outcomes(tmp_path)


def test_failed_write_leaves_the_old_tables(frames, tmp_path, monkeypatch):
    write_outcomes(tmp_path, *frames(num_queries=5))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    original = pd.DataFrame.to_parquet

    def full_disk(self: pd.DataFrame, path: Path, **kwargs: object) -> None:
        original(self, path, **kwargs)
        if "outcomes" in Path(path).name:
            raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full_disk)
    with pytest.raises(UserError, match=r"outcomes\.parquet: .*found none \(No space left on device\)"):
        write_outcomes(tmp_path, *frames(num_queries=9))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full, a disk that is always full")
def test_a_full_disk_is_said_with_the_name_of_the_table(frames, tmp_path, monkeypatch):
    monkeypatch.setattr("prefillroute.files.secrets.token_hex", lambda _: "0")
    (tmp_path / ".outcomes.parquet.0.partial").symlink_to("/dev/full")
    with pytest.raises(UserError, match=r"/outcomes\.parquet: .*found none \(.*No space left") as said:
        write_table(frames()[1], tmp_path / "outcomes.parquet")
    assert "\n" not in str(said.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.shared_data
def test_real_table_loads_in_about_a_second(real_data):
    started = time.perf_counter()
    found = read_outcomes(real_data("mmlu_pro"))
    assert time.perf_counter() - started < 5  # 0.3 s alone; others share this machine
    assert found.correct.shape == (10749, 33)
    assert found.complete.all()
    best = found.correct.mean(axis=0).max()
    assert best == pytest.approx(0.858, abs=5e-4)
    assert found.correct.max(axis=1).mean() == pytest.approx(0.975, abs=5e-4)
