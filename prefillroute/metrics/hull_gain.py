"""Accuracy gained over the best static mixture of targets at the same mean cost, and the cost of matching the best.

These metrics go beyond the paper (DESIGN section 5): inverse-cost areas flatter pools with a wide price range. Here the
baseline is what anyone gets by flipping a coin between two targets, so only knowing *which* query goes where counts. A
coin can also be flipped between two settings of the router, so mixtures are compared with mixtures.
"""

import numpy as np

from prefillroute.metrics.equal_costs import tolerance
from prefillroute.metrics.pool_points import PoolPoints
from prefillroute.metrics.ratio import NOTHING

# B = resamples, S = operating points, K = those that are better than all cheaper ones, M = targets

NUM_COSTS = 200


def concave_hull(cost: np.ndarray, accuracy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Upper concave hull of points (M,) in (cost, accuracy), non-decreasing: corners (H,), (H,) by rising cost.

    It runs from the cheapest point (the best of several equally cheap) to the most accurate (the cheapest of several),
    and is flat to the right of that.

    Example:
        >>> concave_hull(np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.4, 0.9]))
        (array([1., 3.]), array([0.5, 0.9]))
    """
    order = np.lexsort((-accuracy, cost))
    cost, accuracy = cost[order], accuracy[order]
    # Points that cost more and are no better are left out.
    better = np.append(True, accuracy[1:] > np.maximum.accumulate(accuracy)[:-1])
    corners: list[tuple[float, float]] = []
    for point in zip(cost[better].tolist(), accuracy[better].tolist(), strict=True):
        while len(corners) > 1 and _turns_up(corners[-2], corners[-1], point):
            corners.pop()
        corners.append(point)
    return np.array(corners).T[0], np.array(corners).T[1]


def hull_gains(
    cost: np.ndarray,
    accuracy: np.ndarray,
    points: PoolPoints,
    num_costs: int = NUM_COSTS,
    router_cost: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean accuracy of the router above the best static mixture that costs as much, in both readings.

    The mean is over `num_costs` log-spaced mean costs, from the cheapest target's to that of the most accurate target.
    The mixture is the upper concave hull of the targets, made non-decreasing. `hull_gain` treats the router's operating
    points the same way, mixtures against mixtures: a router whose points are the corners of the targets' hull scores
    exactly 0. `hull_gain_step` takes the greatest accuracy at one operating point that costs no more, which charges
    the router for not mixing: a predictor without skill need not score 0.

    Args:
        cost: (B, S) mean USD per query, lambda rising (so costs fall); accuracy: (B, S).
        points: the pool under the same B weights.
        num_costs: number of costs.
        router_cost: (B,) what of every `cost` is the router's own. At lambda = 1 queries go to their cheapest target,
            which takes no router: that point, without its cost, is then one of the router's too, and covers the costs
            below those that running it takes.

    Returns:
        `hull_gain` and `hull_gain_step`, (B,) each; NaN where the cheapest target is free (no logarithm).

    Example:
        >>> correct, cost_usd = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[2.0, 1.0], [2.0, 1.0]])
        >>> points = PoolPoints.from_outcomes(correct, cost_usd, np.ones((1, 2)))
        >>> hull_gains(np.array([[2.0, 1.0]]), np.array([[1.0, 0.5]]), points)[0]
        array([0.])
    """
    least, greatest = points.cost_of(points.cheapest), points.cost_of(points.best)
    # Rounding must not decide on which side of a vertical step a cost lies, so all costs are read a hair to the right.
    hair = tolerance(points.cost)
    if router_cost is not None:
        cost = np.concatenate([cost, cost[:, -1:] - router_cost[:, None]], axis=1)
        accuracy = np.concatenate([accuracy, accuracy[:, -1:]], axis=1)
    reachable = np.maximum.accumulate(accuracy[:, ::-1], axis=1)
    better = np.ones(reachable.shape, dtype=bool)
    better[:, 1:] = reachable[:, 1:] > reachable[:, :-1]
    mixed, single = np.full(len(cost), np.nan), np.full(len(cost), np.nan)
    for row in np.flatnonzero(least > 0):
        budgets = np.geomspace(least[row], greatest[row], num_costs) + hair[row]
        baseline = np.interp(budgets, *concave_hull(points.cost[row], points.accuracy[row])).mean()
        # (K,) few points: only these can be corners, or the best that a budget buys.
        kept = np.flatnonzero(better[row])
        router_cost = np.maximum.accumulate(cost[row, ::-1][kept])
        router_accuracy = reachable[row, kept]
        mixed[row] = np.interp(budgets, *concave_hull(router_cost, router_accuracy)).mean() - baseline
        afforded = np.searchsorted(router_cost, budgets, side="right") - 1
        single[row] = router_accuracy[np.maximum(afforded, 0)].mean() - baseline
    return mixed, single


def cost_at_best_single(cost: np.ndarray, accuracy: np.ndarray, points: PoolPoints) -> np.ndarray:
    """Least cost at which the router is as accurate as the best single target, over that target's cost.

    Returns:
        (B,); inf where the router never gets there, NaN where the best single target is free.

    Example:
        >>> correct, cost_usd = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[2.0, 1.0], [2.0, 1.0]])
        >>> points = PoolPoints.from_outcomes(correct, cost_usd, np.ones((1, 2)))
        >>> cost_at_best_single(np.array([[2.0, 1.5, 1.0]]), np.array([[1.0, 1.0, 0.5]]), points)
        array([0.75])
    """
    enough = accuracy >= points.accuracy_of(points.best)[:, None] - NOTHING
    least = np.where(enough, cost, np.inf).min(axis=1)
    single = points.cost_of(points.best)
    return np.divide(least, single, out=np.full(len(cost), np.nan), where=single > 0)


def _turns_up(left: tuple[float, float], middle: tuple[float, float], right: tuple[float, float]) -> bool:
    """Whether `middle` lies on or under the chord from `left` to `right`."""
    rise = (middle[1] - left[1]) * (right[0] - left[0])
    return rise <= (right[1] - left[1]) * (middle[0] - left[0])
