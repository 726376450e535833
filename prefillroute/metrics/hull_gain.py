"""Accuracy gained over the best static mixture of targets at the same mean cost, and the price of the best single.

Beyond the paper (DESIGN section 5): inverse-cost areas flatter pools with a wide price range. Here the baseline is what
anyone gets by flipping a coin between two targets, so only knowing *which* query goes where counts.
"""

import numpy as np

from prefillroute.metrics.pool_points import PoolPoints
from prefillroute.metrics.ratio import NOTHING

# B = resamples, S = operating points, M = targets

NUM_COSTS = 200


def concave_hull(cost: np.ndarray, accuracy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Upper concave hull of targets (M,) in (cost, accuracy), non-decreasing: corners (H,), (H,) by rising cost.

    It runs from the cheapest target (the best of several equally cheap) to the most accurate (the cheapest of several);
    to the right of that it is flat.
    """
    corners: list[tuple[float, float]] = []
    for index in np.lexsort((-accuracy, cost)):
        point = (float(cost[index]), float(accuracy[index]))
        if corners and point[1] <= corners[-1][1]:
            continue  # dearer and no better
        while len(corners) > 1 and _turns_up(corners[-2], corners[-1], point):
            corners.pop()
        corners.append(point)
    corner_cost, corner_accuracy = zip(*corners, strict=True)
    return np.array(corner_cost), np.array(corner_accuracy)


def hull_gain(
    cost: np.ndarray, accuracy: np.ndarray, points: PoolPoints, num_costs: int = NUM_COSTS
) -> np.ndarray:
    """Mean accuracy of the router above the best static mixture that costs as much.

    Averaged over `num_costs` log-spaced mean costs from the cheapest target's to that of the most accurate target.
    The router's accuracy at a cost is the greatest at an operating point that costs no more.

    Args:
        cost: (B, S) mean USD per query, lambda rising (so costs fall); accuracy: (B, S).
        points: the pool under the same B weights.

    Returns:
        (B,); NaN where the cheapest target is free (no logarithm).
    """
    rising_cost = np.maximum.accumulate(cost[:, ::-1], axis=1)
    reachable = np.maximum.accumulate(accuracy[:, ::-1], axis=1)
    least, greatest = points.cost_of(points.cheapest), points.cost_of(points.best)
    gain = np.full(len(cost), np.nan)
    for row in np.flatnonzero(least > 0):
        budgets = np.geomspace(least[row], greatest[row], num_costs)
        # Two sums of the same costs in another order may differ in the last digits.
        afforded = np.searchsorted(rising_cost[row], budgets * (1.0 + NOTHING), side="right") - 1
        router = reachable[row, np.maximum(afforded, 0)]
        mixture = np.interp(budgets, *concave_hull(points.cost[row], points.accuracy[row]))
        gain[row] = (router - mixture).mean()
    return gain


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
