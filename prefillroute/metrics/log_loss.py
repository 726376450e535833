"""Log loss (cross entropy) per target, for outcomes that may be fractions."""

import numpy as np

from prefillroute.metrics.masked_mean import masked_mean

SMALLEST = float(np.finfo(float).eps)
"""Confidences are clipped to [SMALLEST, 1 - SMALLEST], as in scikit-learn: a certain mistake costs 36 nats."""


def log_loss(confidence: np.ndarray, correct: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Compute the mean of -(y log p + (1 - y) log(1 - p)), in nats, over each target's observed rows.

    Args:
        confidence: (N, M) in [0, 1].
        correct: (N, M) y in [0, 1], NaN = missing.
        weights: (B, N) bootstrap weights, or None for the sample itself.

    Returns:
        (M,) or (B, M); NaN where a target has no rows.

    Example:
        >>> log_loss(np.array([[0.5], [0.5]]), np.array([[1.0], [0.0]])).round(4)
        array([0.6931])
    """
    probability = np.clip(confidence, SMALLEST, 1.0 - SMALLEST)
    losses = -(correct * np.log(probability) + (1.0 - correct) * np.log1p(-probability))
    return masked_mean(losses, weights)
