import hashlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefillroute.errors import UserError
from prefillroute.outcomes.files import read_outcomes, write_outcomes
from prefillroute.outcomes.stratified import hash_order
from prefillroute.outcomes.subset import stratified_subset


def queries(num: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "query_id": [f"q{i}" for i in range(num)],
            "benchmark": rng.choice(["a", "b"], num, p=[0.8, 0.2]),
            "category": rng.choice(["x", "y", "z"], num),
            "split": rng.choice(["train", "test"], num, p=[0.85, 0.15]),
        }
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 99))
def test_exact_size_shares_and_nesting(num, wanted, seed):
    frame = queries(num, seed)
    rows = stratified_subset(frame, wanted)
    assert len(rows) == min(num, wanted)
    assert len(set(rows)) == len(rows)
    assert set(rows) <= set(stratified_subset(frame, wanted + 7))
    keys = frame["split"] + frame["benchmark"] + frame["category"]
    expected = keys.value_counts() * len(rows) / num
    found = keys.iloc[rows].value_counts().reindex(expected.index, fill_value=0)
    assert ((found - expected).abs() <= 2 + 12 * expected / len(rows)).all()


def test_choice_depends_on_queries_alone():
    frame = queries(200, 0)
    shuffled = frame.sample(frac=1, random_state=3)
    chosen = set(frame["query_id"].iloc[stratified_subset(frame, 60)])
    assert chosen == set(shuffled["query_id"].iloc[stratified_subset(shuffled, 60)])


def test_refuses_nothing():
    with pytest.raises(UserError, match=r"pool.max_queries: expected at least 1, found 0"):
        stratified_subset(queries(5, 0), 0)


def test_pools_that_share_a_folder_share_the_subset(frames, tmp_path):
    write_outcomes(tmp_path, *frames(num_queries=200))
    pairs = [
        read_outcomes(tmp_path, names, max_queries=50).queries["query_id"] for names in (["m0", "m1"], None)
    ]
    assert list(pairs[0]) == list(pairs[1])
    assert len(pairs[0]) == 50


@pytest.mark.shared_data
def test_real_split_proportions(real_data):
    outcomes = read_outcomes(real_data("mmlu_pro"), max_queries=1500)
    assert len(outcomes) == 1500
    assert (outcomes.queries["split"] == "test").mean() == pytest.approx(1792 / 10749, abs=0.003)


def test_the_order_is_that_of_the_names_sha256():
    """A subset chosen today has its activations in caches of years ago, so the order may never change."""
    names = [f"name {i}" for i in range(300)]
    expected = sorted(range(300), key=lambda i: hashlib.sha256(names[i].encode()).hexdigest())
    np.testing.assert_array_equal(hash_order(pd.Series(names)), expected)
