"""Explains why a number is null: one sentence for every undefined metric (DESIGN section 4)."""

import numpy as np

from prefillroute.metrics.pool_points import PoolPoints
from prefillroute.metrics.ratio import NOTHING
from prefillroute.routing.guard import LambdaChoice

INVERSE_COST = ("p_auccc", "mdp_auccc", "efficacy")
NO_ROWS = "no complete calibration or out-of-fold row to choose lambda on"
NEVER_AS_ACCURATE = "never as accurate as the best single target on the rows that lambda is chosen on"
HELD = (
    "no gain over the best single target was shown on the rows that lambda is chosen on (policy.guard): every query "
    "goes to that target, see choice"
)


def reason(name: str, points: PoolPoints, choice: LambdaChoice | None) -> str:
    """Say why a global metric is undefined.

    Args:
        name: name of the metric, without the `constant_` prefix.
        points: the pool on the rows in question (B = 1).
        choice: the router's choice of lambda; None where there were no rows to choose it on.
    """
    if name.startswith("selection_"):
        return "no calibration or out-of-fold row with an outcome, or one class only for every target"
    if name in ("chosen_lambda", "lambda_at_best_single") and choice is not None and choice.guard > 0:
        return HELD
    if np.isnan(points.oracle_accuracy[0]):
        if name.startswith("mean_"):
            return "no row with an outcome, or one class only for every target"
        return "no such query has every target's outcome"
    if name.startswith(INVERSE_COST):
        return _no_inverse_cost_space(points)
    if name.startswith("relative_auc"):
        return "no pair of targets has 20 queries that exactly one of the two answers"
    if name == "mean_auc":
        return "every target has one class only"
    if name.startswith("hull_gain"):
        return "the cheapest target is free: no logarithm of its cost"
    if name == "cost_at_best_single":
        if points.cost_of(points.best)[0] == 0:
            return "the best single target is free: the denominator is 0"
        return "the router never reaches the best single target's accuracy"
    if choice is None and not name.startswith("paper_") and not name.endswith("_lambda0"):
        return NO_ROWS
    if name.endswith("_at_best_single") and choice is not None and choice.at_best_single is None:
        return NEVER_AS_ACCURATE
    if name.startswith("routed_realised_cost"):
        return "no realised cost is known"
    if "headroom_captured" in name:
        return "the best single target is as accurate as the oracle: A_oracle - A_best is 0"
    if "cost_savings" in name:
        return "every target is free: C_max is 0"
    return "undefined"


def _no_inverse_cost_space(points: PoolPoints) -> str:
    least, greatest = points.cost_of(points.cheapest)[0], points.cost_of(points.dearest)[0]
    if greatest <= 0:
        return "every target is free: 1/C_min is infinite"
    if greatest == least:
        return "all targets cost the same: 1/C_min - 1/C_max is 0"
    if least <= 0:
        return "the cheapest target is free: 1/C_min is infinite"
    if points.oracle_accuracy[0] - points.accuracy_of(points.cheapest)[0] <= NOTHING:
        return "the oracle is no better than the cheapest target: A_max - A_cheapest is 0"
    return "the single targets' own value is 0, and the gain is relative to it"
