"""Every null of metrics.json has the reason that fits it."""

from dataclasses import replace

import numpy as np
import pytest

from prefillroute.routing.contest import Contest
from prefillroute.routing.guard import Evidence, LambdaChoice
from prefillroute.routing.statistics.contract import SelectionStatistic
from prefillroute.routing.statistics.declared import declared, global_columns
from prefillroute.routing.statistics.reasons import HELD, NEVER_AS_ACCURATE, NO_ROWS, no_lambda
from prefillroute.routing.statistics.view import ContestView
from prefillroute.routing.table import ConfidenceTable

SOME = Evidence(0.5, 0.1, 0.01)


def pool(correct: list[list[float]], costs: list[list[float]]) -> ConfidenceTable:
    """Test rows only; the confidences do not matter for why a number is null."""
    right, cost = np.array(correct), np.array(costs)
    queries = np.array([f"q{row}" for row in range(len(right))], dtype=object)
    split, unknown = np.full(len(right), "test", dtype=object), np.full(right.shape, np.nan)
    return ConfidenceTable(
        queries, split, queries, ("a", "b"), np.full(right.shape, 0.5), cost, unknown, right
    )


def choice(guard: float = 0.0, chosen: Evidence | None = SOME, cheap: Evidence | None = SOME) -> LambdaChoice:
    return LambdaChoice(guard, 10, 0, SOME, chosen, cheap)


def seen(table: ConfidenceTable, made: LambdaChoice | None) -> ContestView:
    contest = Contest.prepare(table, 11, None)
    contest = replace(contest, router=replace(contest.router, choice=made))
    return contest.under(np.ones((1, len(table))))


USUAL = pool([[1.0, 0.0], [0.0, 1.0]], [[2.0, 1.0], [2.0, 1.0]])
FREE = pool([[1.0, 0.0]], [[0.0, 0.0]])
ONE_FREE = pool([[1.0, 0.0]], [[1.0, 0.0]])
BEST_FREE = pool([[0.0, 1.0]], [[1.0, 0.0]])
EQUAL = pool([[1.0, 0.0]], [[1.0, 1.0]])
NO_BETTER = pool([[0.0, 1.0]], [[2.0, 1.0]])
NONE = pool([[1.0, np.nan]], [[2.0, 1.0]])


@pytest.mark.parametrize(
    ("name", "table", "made", "sentence"),
    [
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
def test_the_reason_fits(name: str, table: ConfidenceTable, made: LambdaChoice | None, sentence: str) -> None:
    column = next(column for column in global_columns() if column.key == name)
    assert column.reason(seen(table, made)).startswith(sentence)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [(None, NO_ROWS), (choice(2.0, None), HELD), (choice(0.0, SOME, None), NEVER_AS_ACCURATE)],
)
def test_a_lambda_that_was_not_chosen_has_a_reason(made: LambdaChoice | None, sentence: str) -> None:
    assert no_lambda(seen(USUAL, made).router) == sentence


def test_what_routers_are_selected_by_is_null_without_rows() -> None:
    for statistic in declared(SelectionStatistic):
        sentence = statistic.reason(seen(USUAL, choice()).router)
        assert sentence in (
            "no calibration or out-of-fold row with an outcome, or one class only for every target",
            "no calibration or out-of-fold row with every target's outcome, or the cheapest target is free",
        )


def test_a_router_that_the_guard_holds_back_is_as_accurate_as_the_best_single_target() -> None:
    """It has a choice, so what is null at that choice is null for a reason of its own."""
    (column,) = (each for each in global_columns() if each.key == "headroom_captured_at_best_single")
    held = column.reason(seen(NO_BETTER, choice(2.0, None, None)))
    assert held == "the best single target is as accurate as the oracle: A_oracle - A_best is 0"
