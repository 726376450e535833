"""The guarded choice of lambda (DESIGN section 5): the router leaves the best single target only on evidence.

Lambda is chosen on calibration or out-of-fold rows, where the best of thousands of operating points looks better than
it is. So its accuracy is compared with that of the best single target over the same queries: the gain is paired by
query, its standard error is that of a mean, and the router is trusted where the gain exceeds `guard` standard errors.
"""

from dataclasses import dataclass

import numpy as np

from prefillroute.errors import UserError
from prefillroute.metrics.equal_costs import within
from prefillroute.metrics.pool_points import PoolPoints
from prefillroute.metrics.ratio import NOTHING
from prefillroute.routing.frontier import Frontier
from prefillroute.routing.lambda_sweep import best_point

# N = queries, M = targets, S = operating points

GUARD = 2.0
"""Standard errors that the gain over the best single target must exceed. One is too few for the best of thousands of
operating points: of 582 routers on MMLU-Pro it let 93 leave that target, and 71 of them lost by it."""


@dataclass(frozen=True)
class Evidence:
    """The gain of one operating point over the best single target, on the rows on which lambda is chosen."""

    lambda_: float
    gain: float
    """Mean over queries of the outcome at `lambda_` minus the best single target's outcome."""
    standard_error: float
    """Standard error of that mean; NaN with a single query."""


@dataclass(frozen=True)
class LambdaChoice:
    """The operating points that were chosen without the test rows, and why."""

    guard: float
    """Standard errors that a gain had to exceed; 0 means no guard."""
    num_rows: int
    """Number of complete queries on which the choice was made."""
    best_single: int
    """The target that the router is compared with."""
    most_accurate: Evidence
    """The operating point of greatest accuracy, ties to lower cost."""
    chosen: Evidence | None
    """The same point; None where its gain is too small, so that every query goes to the best single target."""
    at_best_single: Evidence | None
    """The point of least cost that still clears the guard; None where every such point costs more than the best single
    target, so that, again, every query goes to that target. Without a guard, it is the point of least cost that is as
    accurate as the best single target, or None where no point is."""

    @property
    def fallback(self) -> int | None:
        """Target that takes every query where a choice is None; None where there is no guard."""
        return self.best_single if self.guard > 0 else None


def choose_lambdas(
    frontier: Frontier, guard: float = GUARD, best_single: int | None = None, router_cost: float = 0.0
) -> LambdaChoice:
    """Choose lambda on rows kept for it (calibration or out-of-fold), never on test rows.

    The lambda of greatest accuracy is found first, and only its gain is tested: one test, however many lambdas there
    are. The search for the point of least cost continues from there to ever cheaper points as long as each of them
    clears the guard, so that no lucky point far down the frontier is picked out of thousands. That point competes with
    the best single target, whose accuracy needs no test, so a point that costs more than this target is not chosen.

    Args:
        frontier: frontier of those rows.
        guard: standard errors that the gain over the best single target must exceed; 0 takes the greatest accuracy
            whatever the evidence, and the least cost at the best single target's accuracy.
        best_single: target that is left only on evidence; None takes the most accurate one on these rows.
        router_cost: USD per query that the router itself costs, which the best single target does not.

    Example:
        >>> from prefillroute.routing.frontier import exact_frontier
        >>> correct, cost = np.array([[1.0, 0.0], [0.0, 1.0]] * 8), np.array([[1.0, 2.0]] * 16)
        >>> choice = choose_lambdas(exact_frontier(correct, cost, correct, cost_range=(1.0, 2.0)))
        >>> choice.chosen.gain, choice.best_single
        (0.5, 0)
    """
    costs, correct = frontier.values
    points = PoolPoints.from_outcomes(correct, costs, np.ones((1, len(costs))))
    best = int(points.best[0]) if best_single is None else best_single
    difference = correct - correct[:, [best]]
    gain = frontier.means(difference)
    if len(correct) > 1:
        spread = np.maximum(frontier.means(difference**2) - gain**2, 0.0)
        error = np.sqrt(spread / (len(correct) - 1))
    else:
        error = np.full(len(gain), np.nan)

    def evidence(point: int) -> Evidence:
        return Evidence(float(frontier.lambda_[point]), float(gain[point]), float(error[point]))

    top = int(best_point(frontier.accuracy[None])[0])
    if guard == 0:
        enough = np.flatnonzero(gain >= -NOTHING)
        cheap = int(enough[-1]) if len(enough) else None
        holds = False
    else:
        clears = gain - guard * error > NOTHING  # a NaN clears nothing
        failing = np.flatnonzero(~clears[top:])
        holds = not clears[top]
        cheap = (top + int(failing[0]) if len(failing) else len(gain)) - 1
        if holds or not within(frontier.cost_usd[cheap] + router_cost, points.cost[0, best]):
            cheap = None
    return LambdaChoice(
        guard=guard,
        num_rows=len(correct),
        best_single=best,
        most_accurate=evidence(top),
        chosen=None if holds else evidence(top),
        at_best_single=None if cheap is None else evidence(cheap),
    )


def check_guard(guard: float) -> float:
    """Return `guard` as a float if it is a finite number of at least 0.

    Raises:
        UserError: names the key and the value found.
    """
    if not (np.isfinite(guard) and guard >= 0):
        raise UserError(
            f"policy.guard: expected a number of at least 0 (standard errors; 0 turns the guard off), found {guard}"
        )
    return float(guard)
