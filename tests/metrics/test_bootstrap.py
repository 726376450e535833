"""Resampling weights and percentile intervals."""

import numpy as np
import pytest

from prefillroute.metrics.bootstrap import interval, resample_weights


def test_weights_do_not_depend_on_the_chunk() -> None:
    whole = np.concatenate(list(resample_weights(30, 17, seed=3, chunk=17)))
    parts = list(resample_weights(30, 17, seed=3, chunk=5))
    assert [len(part) for part in parts] == [5, 5, 5, 2]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert (whole.sum(axis=1) == 30).all()
    assert not np.array_equal(whole, np.concatenate(list(resample_weights(30, 17, seed=4))))


def test_interval_of_a_mean_is_the_textbook_one() -> None:
    values = np.random.default_rng(0).normal(size=400)
    means = np.concatenate([w @ values / 400 for w in resample_weights(400, 2000, seed=0)])
    low, high = interval(means) or (np.nan, np.nan)
    error = values.std() / np.sqrt(400)
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.01)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.01)


def test_undefined_resamples_are_left_out_and_infinite_ones_are_not() -> None:
    samples = np.array([np.nan] * 10 + [0.5] * 90 + [np.inf] * 10)
    assert interval(samples) == (0.5, np.inf)
    assert interval(np.full(3, np.nan)) is None
