"""Means over the rows that are not missing, for one sample or for many reweighted ones at once."""

import numpy as np

# N = queries, M = targets, B = bootstrap resamples


def masked_mean(values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Average each column over its rows that are not NaN.

    Args:
        values: (N, M), NaN = missing.
        weights: (B, N) weight of every row in every resample, or None for the sample itself.

    Returns:
        (M,) without weights, (B, M) with them; NaN where no row carries weight.

    Example:
        >>> masked_mean(np.array([[1.0, 0.0], [np.nan, 1.0]]))
        array([1. , 0.5])
    """
    observed = ~np.isnan(values)
    filled = np.where(observed, values, 0.0)
    rows = np.ones((1, len(values))) if weights is None else weights
    total = rows @ observed.astype(float)
    mean = np.divide(rows @ filled, total, out=np.full(total.shape, np.nan), where=total > 0)
    return mean[0] if weights is None else mean


def weighted_mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average complete values (N,) or (N, K) with weights (B, N): (B,) or (B, K), NaN where a resample is empty.

    Example:
        >>> weighted_mean(np.array([1.0, 0.0]), weights=np.array([[3.0, 1.0]]))
        array([0.75])
    """
    total = weights.sum(axis=1)
    total = np.where(total > 0, total, np.nan)
    return (weights @ values) / (total if values.ndim == 1 else total[:, None])
