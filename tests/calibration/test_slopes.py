"""Platt and temperature scaling against scikit-learn and scipy."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.calibration import _SigmoidCalibration
from sklearn.linear_model import LogisticRegression

from prefillroute.calibration.platt import PlattCalibrator
from prefillroute.calibration.temperature import TemperatureCalibrator


def test_platt_equals_unpenalised_logistic_regression(sample):
    z, correct = sample()
    ours = PlattCalibrator().fit(z, correct)
    for m in range(z.shape[1]):
        seen = ~np.isnan(correct[:, m])
        theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(
            z[seen, m, None], correct[seen, m]
        )
        assert ours.slope_[m] == pytest.approx(theirs.coef_[0, 0], abs=1e-6)
        assert ours.offset_[m] == pytest.approx(theirs.intercept_[0], abs=1e-6)
        expected = theirs.predict_proba(z[:, m, None])[:, 1]
        np.testing.assert_allclose(ours.transform(z)[:, m], expected, atol=1e-6)


@pytest.mark.parametrize("with_offset", [True, False])
def test_float_outcomes_equal_scipy(sample, with_offset):
    z, correct = sample(floats=True)
    ours = (PlattCalibrator() if with_offset else TemperatureCalibrator()).fit(z, correct)
    for m in range(z.shape[1]):
        seen = ~np.isnan(correct[:, m])

        def loss(ab, own=z[seen, m], outcome=correct[seen, m]):
            logit = ab[0] * own + (ab[1] if with_offset else 0.0)
            return (np.logaddexp(0, logit) - outcome * logit).sum()

        best = minimize(
            loss, [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 9999}
        )
        assert ours.slope_[m] == pytest.approx(best.x[0], abs=1e-5)


@pytest.mark.parametrize("with_offset", [True, False])
def test_heavy_tails_reach_an_optimum(with_offset):
    """Full Newton steps overshoot here: without halving them, columns end where the gradient is not 0."""
    rng = np.random.default_rng(0)
    z = rng.standard_t(1.0, size=(40, 300))
    correct = (rng.random(z.shape) < expit(0.1 * z + 2 * rng.normal(size=300))).astype(float)
    ours = (PlattCalibrator() if with_offset else TemperatureCalibrator()).fit(z, correct)
    hits = correct.sum(0)
    low = 1 / (len(z) - hits + 2)
    smoothed = low + correct * ((hits + 1) / (hits + 2) - low)  # where the optimum is too steep to be one
    scaled = (z - z.mean(0) * with_offset) / z.std(0)
    gradients = [
        (residual * scaled).mean(0) for residual in (ours.transform(z) - y for y in (correct, smoothed))
    ]
    inside = (ours.slope_ > 0) & (ours.slope_ * z.std(0) < 20)  # neither bound is met
    assert inside.sum() > 100
    np.testing.assert_allclose(np.abs(gradients).min(0)[inside], 0.0, atol=1e-6)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_one_class_target_gets_its_base_rate_by_the_rule_of_succession(label):
    z = np.linspace(-2, 2, 8)[:, None]
    ours = PlattCalibrator().fit(z, np.full((8, 1), label))
    np.testing.assert_allclose(ours.transform(z), (8 * label + 1) / 10)


def test_separated_target_gets_platts_smoothed_outcomes(sample):
    z, _ = sample(targets=1, missing=0)
    correct = (z > 0.2).astype(float)
    ours = PlattCalibrator().fit(z, correct)
    theirs = _SigmoidCalibration().fit(z[:, 0], correct[:, 0])
    assert np.isfinite(ours.slope_).all()
    np.testing.assert_allclose(ours.transform(z)[:, 0], theirs.predict(z[:, 0]), atol=2e-4)


def test_negative_slope_becomes_the_base_rate(sample):
    z, correct = sample(targets=2, missing=0)
    ours = PlattCalibrator().fit(-z, correct)
    assert (ours.slope_ == 0).all()
    np.testing.assert_allclose(ours.transform(z), np.broadcast_to(correct.mean(0), z.shape))
    assert (TemperatureCalibrator().fit(-z + 5, correct).transform(z) <= 1).all()


def test_all_z_equal_and_single_row_and_no_row():
    flat = PlattCalibrator().fit(np.full((10, 1), 3.0), np.array([[1.0]] * 7 + [[0.0]] * 3))
    np.testing.assert_allclose(flat.transform(np.array([[3.0], [-9.0]])), 0.7)
    single = PlattCalibrator().fit(np.array([[0.4]]), np.array([[1.0]]))
    np.testing.assert_allclose(single.transform(np.array([[0.4]])), 2 / 3)
    none = PlattCalibrator().fit(np.array([[0.4]]), np.array([[np.nan]]))
    np.testing.assert_allclose(none.transform(np.array([[0.4]])), expit(0.4))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-14, 14), st.sampled_from([0.0, 0.25, 1.0, float("nan")])),
        min_size=1,
        max_size=30,
    )
)
def test_any_input_gives_finite_monotone_confidences(rows):
    z, correct = (np.array(column)[:, None] for column in zip(*rows, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for calibrator in (PlattCalibrator(), TemperatureCalibrator()):
            p = calibrator.fit(z, correct).transform(np.sort(z, axis=0))
            assert np.isfinite(p).all()
            assert (np.diff(p[:, 0]) >= -1e-12).all()


def test_targets_are_independent(sample):
    z, correct = sample()
    both = PlattCalibrator().fit(z, correct)
    alone = PlattCalibrator().fit(z[:, 2:3], correct[:, 2:3])
    assert both.slope_[2] == pytest.approx(alone.slope_[0], abs=1e-9)


def test_platt_recovers_the_truth_and_improves_log_loss(sample):
    z, correct = sample(rows=20000, targets=1, missing=0)
    ours = PlattCalibrator().fit(z, correct)
    assert ours.slope_[0] == pytest.approx(0.6, abs=0.03)
    assert ours.offset_[0] == pytest.approx(-0.3, abs=0.05)
