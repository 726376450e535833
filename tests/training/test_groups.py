"""The masks of a run: every training row is held out once, and no group learns from what it holds out."""

import numpy as np
import pandas as pd
import pytest

from prefillroute.outcomes.splits import Split
from prefillroute.outcomes.table import Outcomes
from prefillroute.training.groups import make_groups


@pytest.fixture
def outcomes() -> Outcomes:
    rng = np.random.default_rng(0)
    num = 240
    queries = pd.DataFrame(
        {
            "query_id": [f"q{i}" for i in range(num)],
            "benchmark": np.where(np.arange(num) % 2 == 0, "a", "b"),
            "category": "c",
            # every tenth prompt is a duplicate of the one before it, but for white space
            "prompt": [
                f"question  {i - (i % 10 == 9)}" if i % 10 == 9 else f"question {i}" for i in range(num)
            ],
        }
    )
    unknown = np.full((num, 3), np.nan)
    correct = rng.integers(0, 2, (num, 3)).astype(float)
    return Outcomes(queries, ("x", "y", "z"), correct, unknown, unknown, unknown, unknown, unknown)


def split_of(outcomes: Outcomes, calibration: int = 0) -> Split:
    rows = np.arange(len(outcomes))
    return Split(rows[: 200 - calibration], rows[200 - calibration : 200], rows[200:])


def test_every_training_row_is_held_out_by_exactly_one_group(outcomes: Outcomes) -> None:
    groups = make_groups(outcomes, split_of(outcomes), num_folds=5, validation_size=0.1, seed=0)
    assert groups.train.shape == (6, 200)
    assert not groups.held_out[0].any()
    np.testing.assert_array_equal(groups.held_out.sum(axis=0), 1)
    parts = groups.train.astype(int) + groups.valid + groups.held_out
    np.testing.assert_array_equal(parts, 1)
    assert (groups.valid.sum(axis=1) > 0).all()
    assert abs(groups.valid[0].mean() - 0.1) < 0.03


def test_duplicates_never_cross_a_fold_or_a_validation_part(outcomes: Outcomes) -> None:
    groups = make_groups(outcomes, split_of(outcomes), num_folds=5, validation_size=0.1, seed=0)
    text = outcomes.queries["prompt"].str.split().str.join(" ").to_numpy()[groups.rows]
    for mask in (*groups.valid, *groups.held_out):
        assert not set(text[mask]) & set(text[~mask])


def test_a_calibration_part_leaves_the_final_fit_alone(outcomes: Outcomes) -> None:
    groups = make_groups(outcomes, split_of(outcomes, calibration=20), 5, 0.1, seed=0)
    assert groups.train.shape == (1, 180)
    assert not groups.out_of_fold
    assert len(np.unique(groups.folds)) == 5  # the layer probes still need them


def test_groups_are_a_function_of_the_seed(outcomes: Outcomes) -> None:
    first, again, other = (make_groups(outcomes, split_of(outcomes), 5, 0.1, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.valid, again.valid)
    assert (first.held_out != other.held_out).any()
