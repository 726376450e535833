"""Brier score per target: the mean squared gap between confidence and outcome."""

import numpy as np

from prefillroute.metrics.masked_mean import masked_mean


def brier(confidence: np.ndarray, correct: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Compute the mean of (confidence - correct)^2 over each target's observed rows.

    Args:
        confidence: (N, M) in [0, 1].
        correct: (N, M) in [0, 1], the float outcome rather than the label (DESIGN section 4); NaN = missing.
        weights: (B, N) bootstrap weights, or None for the sample itself.

    Returns:
        (M,) or (B, M); NaN where a target has no rows.

    Example:
        >>> brier(np.array([[0.5], [1.0]]), np.array([[1.0], [1.0]]))
        array([0.125])
    """
    return masked_mean((confidence - correct) ** 2, weights)
