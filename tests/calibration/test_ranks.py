"""Isotonic and percentile calibration and z-scores against scikit-learn and brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from prefillroute.calibration.cross_fit import cross_fitted
from prefillroute.calibration.isotonic import IsotonicCalibrator
from prefillroute.calibration.percentile import PercentileCalibrator
from prefillroute.calibration.platt import PlattCalibrator
from prefillroute.calibration.zscore import ZScoreCalibrator
from prefillroute.errors import UserError


@pytest.mark.parametrize("floats", [False, True])
@pytest.mark.parametrize("ties", [False, True])
def test_isotonic_equals_sklearn(sample, floats, ties):
    z, correct = sample(floats=floats)
    if ties:
        z = np.round(z)
    fresh = np.linspace(-6, 6, 101)[:, None].repeat(z.shape[1], axis=1)
    ours = IsotonicCalibrator().fit(z, correct).transform(fresh)
    for m in range(z.shape[1]):
        seen = ~np.isnan(correct[:, m])
        theirs = IsotonicRegression(out_of_bounds="clip", y_min=0, y_max=1).fit(z[seen, m], correct[seen, m])
        np.testing.assert_allclose(ours[:, m], theirs.predict(fresh[:, m]), atol=1e-9)


def brute_percentile(z: float, own: np.ndarray, outcome: np.ndarray, share: float) -> float:
    """Window mean, rows that tie sharing their mean outcome."""
    size = max(1, round(share * len(own)))
    rank = (own < z).sum() + (own == z).sum() / 2
    start = int(min(max(np.rint(rank - size / 2), 0), len(own) - size))
    total = 0.0
    for position in range(start, start + size):
        at = np.sort(own)[position]
        total += outcome[own == at].mean()
    return total / size


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(-5, 5), st.sampled_from([0.0, 0.5, 1.0])), min_size=1, max_size=25),
    share=st.sampled_from([0.1, 0.34, 1.0]),
)
def test_percentile_equals_brute_force(rows, share):
    own, outcome = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    fresh = np.linspace(-6, 6, 25)
    ours = PercentileCalibrator(share).fit(own[:, None], outcome[:, None]).transform(fresh[:, None])[:, 0]
    expected = [brute_percentile(value, own, outcome, share) for value in fresh]
    np.testing.assert_allclose(ours, expected, atol=1e-12)


def test_zscore_stands_on_the_fitted_rows(sample):
    z, correct = sample()
    ours = ZScoreCalibrator().fit(z, correct)
    seen = ~np.isnan(correct[:, 1])
    own = z[seen, 1]
    np.testing.assert_allclose(ours.transform(z)[:, 1], expit((z[:, 1] - own.mean()) / own.std()), atol=1e-12)
    flat = ZScoreCalibrator().fit(np.full((3, 1), 2.0), np.ones((3, 1)))
    np.testing.assert_allclose(flat.transform(np.array([[2.0], [3.0]]))[:, 0], expit([0.0, 1.0]))


@pytest.mark.parametrize("calibrator", [IsotonicCalibrator(), PercentileCalibrator(0.2), PlattCalibrator()])
def test_cross_fitting_never_uses_the_fold_itself(sample, calibrator):
    z, correct = sample(rows=80, missing=0)
    folds = np.arange(80) % 4
    ours = cross_fitted(calibrator, z, correct, folds)
    changed = correct.copy()
    changed[folds == 2] = 1 - changed[folds == 2]
    again = cross_fitted(calibrator, z, changed, folds)
    np.testing.assert_array_equal(ours[folds == 2], again[folds == 2])
    assert not np.array_equal(ours[folds == 1], again[folds == 1])


def test_isotonic_on_its_own_rows_is_optimistic_and_cross_fitting_is_not(sample):
    rng = np.random.default_rng(0)
    z, correct = rng.normal(size=(400, 1)), (rng.random((400, 1)) < 0.5).astype(float)
    own = IsotonicCalibrator().fit(z, correct).transform(z)
    honest = cross_fitted(IsotonicCalibrator(), z, correct, np.arange(400) % 5)
    assert ((own - correct) ** 2).mean() < ((honest - correct) ** 2).mean()


@pytest.mark.parametrize("share", [0.0, 1.5])
def test_share_out_of_range_is_refused(share):
    with pytest.raises(UserError, match=r"calibration\.share: expected a number in \(0, 1\]"):
        PercentileCalibrator(share)
