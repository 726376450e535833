"""Every null of metrics.json has the reason that fits it."""

import numpy as np
import pytest

from prefillroute.metrics.pool_points import PoolPoints
from prefillroute.routing.guard import Evidence, LambdaChoice
from prefillroute.routing.reasons import HELD, NEVER_AS_ACCURATE, NO_ROWS, reason

SOME = Evidence(0.5, 0.1, 0.01)


def points(correct: list[list[float]], costs: list[list[float]]) -> PoolPoints:
    return PoolPoints.from_outcomes(np.array(correct), np.array(costs), np.ones((1, len(costs))))


def choice(guard: float = 0.0, chosen: Evidence | None = SOME, cheap: Evidence | None = SOME) -> LambdaChoice:
    return LambdaChoice(guard, 10, 0, SOME, chosen, cheap)


USUAL = points([[1.0, 0.0], [0.0, 1.0]], [[2.0, 1.0], [2.0, 1.0]])
FREE = points([[1.0, 0.0]], [[0.0, 0.0]])
ONE_FREE = points([[1.0, 0.0]], [[1.0, 0.0]])
BEST_FREE = points([[0.0, 1.0]], [[1.0, 0.0]])
EQUAL = points([[1.0, 0.0]], [[1.0, 1.0]])
NO_BETTER = points([[0.0, 1.0]], [[2.0, 1.0]])
NONE = PoolPoints.from_outcomes(np.empty((0, 2)), np.empty((0, 2)), np.ones((1, 0)))


@pytest.mark.parametrize(
    ("name", "pool", "made", "sentence"),
    [
        (
            "selection_auc",
            USUAL,
            choice(),
            "no calibration or out-of-fold row with an outcome, or one class only",
        ),
        ("chosen_lambda", USUAL, choice(2.0, None), HELD),
        ("lambda_at_best_single", USUAL, choice(2.0, SOME, None), HELD),
        ("lambda_at_best_single", USUAL, choice(0.0, SOME, None), NEVER_AS_ACCURATE),
        ("chosen_lambda", USUAL, None, NO_ROWS),
        ("routed_accuracy", USUAL, None, NO_ROWS),
        ("headroom_captured_lambda0", NO_BETTER, None, "the best single target is as accurate as the oracle"),
        ("headroom_captured", NO_BETTER, choice(), "the best single target is as accurate as the oracle"),
        ("headroom_captured_at_best_single", USUAL, choice(0.0, SOME, None), NEVER_AS_ACCURATE),
        ("paper_cost_savings", FREE, None, "every target is free: C_max is 0"),
        ("cost_savings", FREE, choice(), "every target is free: C_max is 0"),
        ("routed_realised_cost", USUAL, choice(), "no realised cost is known"),
        ("p_auccc", FREE, choice(), "every target is free: 1/C_min is infinite"),
        ("mdp_auccc", EQUAL, choice(), "all targets cost the same: 1/C_min - 1/C_max is 0"),
        ("efficacy", ONE_FREE, choice(), "the cheapest target is free: 1/C_min is infinite"),
        (
            "p_auccc",
            NO_BETTER,
            choice(),
            "the oracle is no better than the cheapest target: A_max - A_cheapest is 0",
        ),
        (
            "p_auccc_relative_gain",
            USUAL,
            choice(),
            "the single targets' own value is 0, and the gain is relative",
        ),
        (
            "relative_auc",
            USUAL,
            choice(),
            "no pair of targets has 20 queries that exactly one of the two answers",
        ),
        ("mean_auc", USUAL, choice(), "every target has one class only"),
        ("hull_gain_step", ONE_FREE, choice(), "the cheapest target is free: no logarithm of its cost"),
        ("cost_at_best_single", BEST_FREE, choice(), "the best single target is free: the denominator is 0"),
        (
            "cost_at_best_single",
            USUAL,
            choice(),
            "the router never reaches the best single target's accuracy",
        ),
        ("mean_brier", NONE, choice(), "no row with an outcome, or one class only for every target"),
        ("hull_gain", NONE, choice(), "no such query has every target's outcome"),
    ],
)
def test_the_reason_fits(name: str, pool: PoolPoints, made: LambdaChoice | None, sentence: str) -> None:
    assert reason(name, pool, made).startswith(sentence)
