"""Equations 3 and 4: cost on the scale of the training costs, and the score in which lambda weighs it."""

import numpy as np

from prefillroute.errors import UserError
from prefillroute.metrics.equal_costs import TOLERANCE

# N = queries, M = targets


def normalised_cost(cost_usd: np.ndarray, cost_range: tuple[float, float]) -> np.ndarray:
    """Put costs on the scale of the training costs (eq. 4): (c - c_lo) / (c_hi - c_lo), not clipped.

    Args:
        cost_usd: (N, M) estimated USD; cost_range: (c_lo, c_hi) over training queries x targets.

    Returns:
        (N, M) float64; all zero where c_lo = c_hi up to rounding, so that costs only decide ties.

    Raises:
        UserError: the range is not two finite numbers in order.

    Example:
        >>> normalised_cost(np.array([[1.0, 2.0, 3.0]]), cost_range=(1.0, 3.0))
        array([[0. , 0.5, 1. ]])
    """
    low, high = cost_range
    if not (np.isfinite(low) and np.isfinite(high) and low <= high):
        raise UserError(
            f"cost_range: expected two finite numbers, the least cost first, found [{low}, {high}]"
        )
    if high - low <= TOLERANCE * high:
        return np.zeros_like(cost_usd, dtype=float)
    return (np.asarray(cost_usd, dtype=float) - low) / (high - low)


def lambda_scores(
    confidence: np.ndarray, relative_cost: np.ndarray, lambda_: float | np.ndarray
) -> np.ndarray:
    """Weigh confidence (N, M) against normalised cost (N, M) (eq. 3): (1 - lambda) p - lambda c~.

    Example:
        >>> lambda_scores(np.array([[0.75, 0.5]]), np.array([[1.0, 0.0]]), lambda_=0.5)
        array([[-0.125,  0.25 ]])
    """
    return (1.0 - lambda_) * confidence - lambda_ * relative_cost
