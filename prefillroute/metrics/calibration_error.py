"""Expected calibration error (ECE) and the bins of a reliability diagram, 15 equal-width bins by default."""

from dataclasses import dataclass

import numpy as np

# N = queries, M = targets, B = bootstrap resamples, K = bins

NUM_BINS = 15


@dataclass(frozen=True)
class ReliabilityBins:
    """The contents of a reliability diagram; a bin without rows has count 0 and NaN means."""

    edges: np.ndarray
    """(K + 1,) from 0 to 1; bin k holds edges[k] <= confidence < edges[k + 1]; the last bin also holds 1."""
    count: np.ndarray
    """(K,) rows."""
    confidence: np.ndarray
    """(K,) mean confidence."""
    accuracy: np.ndarray
    """(K,) mean outcome."""


def calibration_error(
    confidence: np.ndarray,
    correct: np.ndarray,
    weights: np.ndarray | None = None,
    num_bins: int = NUM_BINS,
) -> np.ndarray:
    """Compute ECE per target: the mean of |mean confidence - mean outcome| over bins, weighted by their rows.

    Args:
        confidence: (N, M) in [0, 1].
        correct: (N, M) in [0, 1], NaN = missing.
        weights: (B, N) bootstrap weights, or None for the sample itself.
        num_bins: K equal-width bins.

    Returns:
        (M,) or (B, M); NaN where a target has no rows.

    Example:
        >>> calibration_error(np.array([[0.75], [0.75]]), np.array([[1.0], [0.0]]))
        array([0.25])
    """
    rows = np.ones((1, len(correct))) if weights is None else weights
    observed = ~np.isnan(correct)
    total = rows @ observed.astype(float)  # (B, M)
    gaps = np.where(observed, confidence - np.where(observed, correct, 0.0), 0.0)
    bins = _bin_of(confidence, num_bins)
    gap = np.empty(total.shape)
    for target in range(correct.shape[1]):
        spread = np.zeros((len(correct), num_bins))  # (N, K): every row's gap in its own bin
        spread[np.arange(len(correct)), bins[:, target]] = gaps[:, target]
        gap[:, target] = np.abs(rows @ spread).sum(axis=1)
    error = np.divide(gap, total, out=np.full(total.shape, np.nan), where=total > 0)
    return error[0] if weights is None else error


def reliability_bins(
    confidence: np.ndarray, correct: np.ndarray, num_bins: int = NUM_BINS
) -> ReliabilityBins:
    """Collect rows of any shape (one target's, or a whole table's) into the bins of a reliability diagram.

    Example:
        >>> bins = reliability_bins(np.array([0.25, 0.75, 0.75]), np.array([0.0, 1.0, 0.0]), num_bins=2)
        >>> bins.count.tolist(), bins.accuracy.tolist()
        ([1, 2], [0.0, 0.5])
    """
    observed = ~np.isnan(correct)
    kept, outcome = confidence[observed], correct[observed]
    bins = _bin_of(kept, num_bins)
    count = np.bincount(bins, minlength=num_bins)
    sums = [np.bincount(bins, values, minlength=num_bins) for values in (kept, outcome)]
    means = [np.divide(each, count, out=np.full(num_bins, np.nan), where=count > 0) for each in sums]
    return ReliabilityBins(np.linspace(0.0, 1.0, num_bins + 1), count, means[0], means[1])


def _bin_of(confidence: np.ndarray, num_bins: int) -> np.ndarray:
    inner_edges = np.linspace(0.0, 1.0, num_bins + 1)[1:-1]
    return np.searchsorted(inner_edges, confidence, side="right")
