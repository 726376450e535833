"""Accuracy gained over the best static mixture of targets at the same mean cost, and the price of the best single.

Beyond the paper (DESIGN section 5): inverse-cost areas flatter pools with a wide price range. Here the baseline is what
anyone gets by flipping a coin between two targets, so only knowing *which* query goes where counts. Whoever flips a
coin between targets may flip it between two settings of the router as well: mixtures stand against mixtures.
"""

import numpy as np

from prefillroute.metrics.equal_costs import tolerance
from prefillroute.metrics.pool_points import PoolPoints
from prefillroute.metrics.ratio import NOTHING

# B = resamples, S = operating points, K = those that are better than all cheaper ones, M = targets

NUM_COSTS = 200


def concave_hull(cost: np.ndarray, accuracy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Upper concave hull of points (M,) in (cost, accuracy), non-decreasing: corners (H,), (H,) by rising cost.

    It runs from the cheapest point (the best of several equally cheap) to the most accurate (the cheapest of several);
    to the right of that it is flat.
    """
    order = np.lexsort((-accuracy, cost))
    cost, accuracy = cost[order], accuracy[order]
    better = np.append(
        True, accuracy[1:] > np.maximum.accumulate(accuracy)[:-1]
    )  # dearer and no better: left out
    corners: list[tuple[float, float]] = []
    for point in zip(cost[better].tolist(), accuracy[better].tolist(), strict=True):
        while len(corners) > 1 and _turns_up(corners[-2], corners[-1], point):
            corners.pop()
        corners.append(point)
    return np.array(corners).T[0], np.array(corners).T[1]


def hull_gains(
    cost: np.ndarray, accuracy: np.ndarray, points: PoolPoints, num_costs: int = NUM_COSTS
) -> tuple[np.ndarray, np.ndarray]:
    """Mean accuracy of the router above the best static mixture that costs as much, in both readings.

    Averaged over `num_costs` log-spaced mean costs from the cheapest target's to that of the most accurate target. The
    mixture is the upper concave hull of the targets, made non-decreasing. `hull_gain` takes the router's operating
    points likewise, mixtures against mixtures: a router whose points are the corners of the targets' hull has exactly
    0. `hull_gain_step` takes the greatest accuracy at one operating point that costs no more, which charges the router
    for not mixing: a predictor without skill need not be at 0.

    Args:
        cost: (B, S) mean USD per query, lambda rising (so costs fall); accuracy: (B, S).
        points: the pool under the same B weights.

    Returns:
        `hull_gain` and `hull_gain_step`, (B,) each; NaN where the cheapest target is free (no logarithm).
    """
    least, greatest = points.cost_of(points.cheapest), points.cost_of(points.best)
    # Rounding must not decide on which side of a vertical step a cost lies: everything is read a hair to the right.
    hair = tolerance(points.cost)
    reachable = np.maximum.accumulate(accuracy[:, ::-1], axis=1)
    better = np.ones(reachable.shape, dtype=bool)
    better[:, 1:] = reachable[:, 1:] > reachable[:, :-1]
    mixed, single = np.full(len(cost), np.nan), np.full(len(cost), np.nan)
    for row in np.flatnonzero(least > 0):
        budgets = np.geomspace(least[row], greatest[row], num_costs) + hair[row]
        baseline = np.interp(budgets, *concave_hull(points.cost[row], points.accuracy[row])).mean()
        kept = np.flatnonzero(
            better[row]
        )  # (K,) few: only these can be corners, or the best that a budget buys
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
    """
    enough = accuracy >= points.accuracy_of(points.best)[:, None] - NOTHING
    least = np.where(enough, cost, np.inf).min(axis=1)
    single = points.cost_of(points.best)
    return np.divide(least, single, out=np.full(len(cost), np.nan), where=single > 0)


def _turns_up(left: tuple[float, float], middle: tuple[float, float], right: tuple[float, float]) -> bool:
    """Whether `middle` lies on or under the chord from `left` to `right`."""
    rise = (middle[1] - left[1]) * (right[0] - left[0])
    return rise <= (right[1] - left[1]) * (middle[0] - left[0])
