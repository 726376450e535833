"""AUC, Brier, log loss and ECE against scikit-learn and torchmetrics; weights against repeated rows."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss
from torchmetrics.functional.classification import binary_calibration_error

from prefillroute.metrics.brier import brier
from prefillroute.metrics.calibration_error import calibration_error, reliability_bins
from prefillroute.metrics.log_loss import log_loss
from prefillroute.metrics.masked_mean import masked_mean, weighted_mean
from prefillroute.metrics.roc_auc import roc_auc

METRICS = {"auc": roc_auc, "brier": brier, "log_loss": log_loss, "ece": calibration_error}


def torchmetrics_ece(correct: np.ndarray, confidence: np.ndarray) -> float:
    error = binary_calibration_error(
        torch.tensor(confidence), torch.tensor(correct).long(), n_bins=15, norm="l1"
    )
    return float(error)


WITNESSES: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "auc": roc_auc_score,
    "brier": brier_score_loss,
    "log_loss": sklearn_log_loss,
    "ece": torchmetrics_ece,
}


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_equals_the_witness(make_scores, name: str, ties: bool, missing: float) -> None:
    if name == "ece" and ties:
        pytest.skip("torchmetrics gives confidence 1 a bin of its own, and rounds the edges its own way")
    confidence, correct = make_scores(ties=ties, missing=missing)
    found = METRICS[name](confidence, correct)
    for target in range(correct.shape[1]):
        rows = ~np.isnan(correct[:, target])
        expected = WITNESSES[name](correct[rows, target], confidence[rows, target])
        assert found[target] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("ties", [False, True])
def test_weights_equal_repeated_rows(make_scores, repeat_rows, name: str, ties: bool) -> None:
    confidence, correct = make_scores(num_queries=60, missing=0.2, ties=ties)
    weights = np.random.default_rng(1).integers(0, 4, (5, 60)).astype(float)
    found = METRICS[name](confidence, correct, weights)
    assert found.shape == (5, 4)
    for row, repeated in enumerate(repeat_rows(weights, np.arange(60))):
        np.testing.assert_allclose(found[row], METRICS[name](confidence[repeated], correct[repeated]))


def test_ece_by_hand_with_bin_edges() -> None:
    # 1/15 opens the second bin and 1 belongs to the last one.
    confidence = np.array([[0.01], [1 / 15], [0.1], [1.0], [0.95]])
    correct = np.array([[0.0], [1.0], [0.0], [1.0], [0.0]])
    gaps = abs(0.01) + abs(1 / 15 + 0.1 - 1) + abs(1.95 - 1)
    assert calibration_error(confidence, correct)[0] == pytest.approx(gaps / 5)


def test_ece_is_that_of_the_reliability_bins(make_scores) -> None:
    confidence, correct = make_scores(num_targets=1, missing=0.1)
    bins = reliability_bins(confidence, correct)
    assert len(bins.count) == len(bins.edges) - 1 == 15
    assert bins.count.sum() == (~np.isnan(correct)).sum()
    gap = np.nansum(bins.count * np.abs(bins.confidence - bins.accuracy)) / bins.count.sum()
    assert gap == pytest.approx(calibration_error(confidence, correct)[0])


def test_empty_reliability_bins_are_nan() -> None:
    bins = reliability_bins(np.array([0.5]), np.array([1.0]))
    assert bins.count.tolist() == [0] * 7 + [1] + [0] * 7
    assert np.isnan(bins.accuracy).sum() == 14


def test_outcomes_may_be_fractions() -> None:
    confidence, correct = np.array([[0.8], [0.2]]), np.array([[0.5], [0.25]])
    assert brier(confidence, correct)[0] == pytest.approx((0.09 + 0.0025) / 2)
    expected = -(0.5 * np.log(0.8) + 0.5 * np.log(0.2) + 0.25 * np.log(0.2) + 0.75 * np.log(0.8)) / 2
    assert log_loss(confidence, correct)[0] == pytest.approx(expected)


def test_log_loss_of_a_certain_mistake_is_finite() -> None:
    assert log_loss(np.array([[1.0]]), np.array([[0.0]]))[0] == pytest.approx(-np.log(np.finfo(float).eps))


@pytest.mark.parametrize("name", METRICS)
def test_a_target_without_rows_is_nan(name: str) -> None:
    assert np.isnan(METRICS[name](np.array([[0.5], [0.5]]), np.full((2, 1), np.nan))).all()


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_auc_of_one_class_is_nan(label: float) -> None:
    assert np.isnan(roc_auc(np.array([[0.5], [0.7]]), np.full((2, 1), label)))[0]


def test_masked_mean_skips_missing_and_empty() -> None:
    values = np.array([[1.0, np.nan], [3.0, np.nan]])
    np.testing.assert_array_equal(masked_mean(values), [2.0, np.nan])
    weighted = masked_mean(values, np.array([[1.0, 3.0], [0.0, 0.0]]))
    np.testing.assert_array_equal(weighted, [[2.5, np.nan], [np.nan, np.nan]])
    np.testing.assert_array_equal(weighted_mean(np.array([1.0, 3.0]), np.array([[1.0, 3.0]])), [2.5])
