"""The paper's normalised inverse-cost space: x (eq. 7), y (eq. 8), P-AUCCC, MDP-AUCCC (eq. 9) and efficacy (eq. 10).

All functions take a leading axis B of resamples (1 for the sample itself). They give NaN where an axis is undefined:
all targets cost the same, the cheapest is free, or the oracle is no better than the cheapest target.
"""

import numpy as np

from prefillroute.metrics.pool_points import PoolPoints
from prefillroute.metrics.ratio import ratio

# B = resamples, S = operating points in order of rising lambda, M = targets


def inverse_cost(cost: np.ndarray, points: PoolPoints) -> np.ndarray:
    """Place mean costs on the x axis (eq. 7): 0 at the dearest target, 1 at the cheapest.

    x = (1/C - 1/C_max) / (1/C_min - 1/C_max), clipped to [0, 1]: C may lie a little below C_min, because the
    cheapest target differs by query.

    Args:
        cost: (B, S) mean USD per query; points: the pool under the same B weights.

    Returns:
        (B, S); NaN where C_min = C_max or C_min = 0.
    """
    least = points.cost_of(points.cheapest)[:, None]
    greatest = points.cost_of(points.dearest)[:, None]
    # Multiplying through by C_min removes the unit and avoids subtracting two huge numbers when prices are small.
    share = np.divide(least, greatest, out=np.ones_like(least), where=greatest > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = (least / cost - share) / np.where(least < greatest, 1.0 - share, np.nan)
    return np.where(least > 0, np.clip(x, 0.0, 1.0), np.nan)


def normalised_accuracy(accuracy: np.ndarray, points: PoolPoints) -> np.ndarray:
    """Place accuracies (B, S) on the y axis (eq. 8): 0 at the cheapest target, 1 at the oracle; not clipped."""
    floor = points.accuracy_of(points.cheapest)[:, None]
    ceiling = np.maximum(points.oracle_accuracy, points.accuracy.max(axis=1))[:, None]
    return ratio(accuracy - floor, ceiling - floor)


def padded_area(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Trapezoid area (B,) under points (B, S) in order of increasing x, with the leftmost y extended to x = 0."""
    trapezoids = np.diff(x, axis=1) * (y[:, 1:] + y[:, :-1]) / 2.0
    return x[:, 0] * y[:, 0] + trapezoids.sum(axis=1)


def p_auccc(cost: np.ndarray, accuracy: np.ndarray, points: PoolPoints) -> np.ndarray:
    """P-AUCCC of a router: (B,) from mean costs and accuracies (B, S), lambda rising (so costs fall, x rises).

    Example:
        >>> correct, cost_usd = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[2.0, 1.0], [2.0, 1.0]])
        >>> points = PoolPoints.from_outcomes(correct, cost_usd, np.ones((1, 2)))
        >>> p_auccc(np.array([[2.0, 1.0]]), np.array([[1.0, 0.5]]), points)
        array([0.5])
    """
    return padded_area(inverse_cost(cost, points), normalised_accuracy(accuracy, points))


def p_auccc_models(points: PoolPoints) -> np.ndarray:
    """P-AUCCC of the Pareto-optimal single targets: (B,). This is the best that one model for all queries can do.

    Example:
        >>> correct, cost_usd = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[2.0, 1.0], [2.0, 1.0]])
        >>> points = PoolPoints.from_outcomes(correct, cost_usd, np.ones((1, 2)))
        >>> p_auccc_models(points)
        array([0.5])
    """
    by_cost = np.argsort(-points.cost, axis=1, kind="stable")  # dearest first: x rises
    pareto = np.take_along_axis(points.pareto, by_cost, axis=1)
    place = np.where(pareto, np.arange(pareto.shape[1]), -1)
    # A dominated target stands where the Pareto target before it stands, which adds no area.
    place = np.maximum(np.maximum.accumulate(place, axis=1), pareto.argmax(axis=1)[:, None])
    kept = np.take_along_axis(by_cost, place, axis=1)
    cost = np.take_along_axis(points.cost, kept, axis=1)
    accuracy = np.take_along_axis(points.accuracy, kept, axis=1)
    return padded_area(inverse_cost(cost, points), normalised_accuracy(accuracy, points))


def efficacy(cost: np.ndarray, accuracy: np.ndarray, points: PoolPoints, corner: bool = False) -> np.ndarray:
    """Mean distance (B,) from operating points (B, S) to the oracle (eq. 10); lower is better.

    Args:
        cost: (B, S) and accuracy: (B, S), on the uniform grid of lambda.
        points: the pool under the same weights.
        corner: measure to (1, 1) instead of to the oracle's own operating point. The paper's wording allows both,
            but its printed numbers rule out the corner (DESIGN section 5).

    Example:
        >>> correct, cost_usd = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[2.0, 1.0], [2.0, 1.0]])
        >>> points = PoolPoints.from_outcomes(correct, cost_usd, np.ones((1, 2)))
        >>> efficacy(np.array([[2.0, 1.0]]), np.array([[1.0, 0.5]]), points, corner=True)
        array([1.])
    """
    return _distance(cost, accuracy, points, corner).mean(axis=1)


def efficacy_models(points: PoolPoints, corner: bool = False) -> np.ndarray:
    """Mean distance (B,) from the Pareto-optimal single targets to the oracle."""
    distance = _distance(points.cost, points.accuracy, points, corner)
    return np.where(points.pareto, distance, 0.0).sum(axis=1) / points.pareto.sum(axis=1)


def _distance(cost: np.ndarray, accuracy: np.ndarray, points: PoolPoints, corner: bool) -> np.ndarray:
    if corner:
        goal_x, goal_y = np.ones((len(cost), 1)), np.ones((len(cost), 1))
    else:
        goal_x = inverse_cost(points.oracle_cost[:, None], points)
        goal_y = normalised_accuracy(points.oracle_accuracy[:, None], points)
    return np.hypot(inverse_cost(cost, points) - goal_x, normalised_accuracy(accuracy, points) - goal_y)
