"""Quotients that are undefined (NaN) rather than infinite where the denominator vanishes."""

import numpy as np
from numpy.typing import ArrayLike

NOTHING = 1e-12
"""Accuracies, areas and distances closer than this count as equal: far below one query in 10^9, far above rounding."""


def ratio(numerator: ArrayLike, denominator: ArrayLike) -> np.ndarray:
    """Return numerator / denominator, NaN where the denominator is zero within rounding; shapes broadcast.

    Example:
        >>> ratio([1.0, 1.0], [2.0, 0.0])
        array([0.5, nan])
    """
    top, bottom = np.broadcast_arrays(np.asarray(numerator, float), np.asarray(denominator, float))
    defined = np.abs(bottom) > NOTHING
    return np.divide(top, bottom, out=np.full(top.shape, np.nan), where=defined)


def relative_gain(value: ArrayLike, baseline: ArrayLike) -> np.ndarray:
    """Return value / baseline - 1: the paper's "+14.67 %" of P-AUCCC over the models alone.

    Example:
        >>> float(relative_gain(3.0, 2.0))
        0.5
    """
    return ratio(value, baseline) - 1.0


def relative_reduction(value: ArrayLike, baseline: ArrayLike) -> np.ndarray:
    """Return 1 - value / baseline: the paper's "53.62 %" improvement in efficacy, where lower is better.

    Example:
        >>> float(relative_reduction(1.0, 4.0))
        0.75
    """
    return 1.0 - ratio(value, baseline)


def headroom_captured(accuracy: ArrayLike, best_single: ArrayLike, oracle: ArrayLike) -> np.ndarray:
    """Return (A_router - A_best) / (A_oracle - A_best); negative below the best single target (DESIGN section 5).

    Example:
        >>> float(headroom_captured(accuracy=0.75, best_single=0.5, oracle=1.0))
        0.5
    """
    return ratio(np.asarray(accuracy, float) - best_single, np.asarray(oracle, float) - best_single)


def cost_savings(cost: ArrayLike, dearest_cost: ArrayLike) -> np.ndarray:
    """Return 1 - C_router / C_max, both mean USD per query; NaN where the dearest target is free.

    Example:
        >>> float(cost_savings(cost=1.0, dearest_cost=4.0))
        0.75
    """
    top, bottom = np.broadcast_arrays(np.asarray(cost, float), np.asarray(dearest_cost, float))
    # `ratio` does not fit here: a USD amount has no natural scale, so only an exact zero counts as zero.
    return 1.0 - np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0)
