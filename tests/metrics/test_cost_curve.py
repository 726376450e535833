"""Equations 7 to 10 spelled out in plain Python, and what happens where they have no meaning."""

import math

import numpy as np
import pytest

from prefillroute.metrics.cost_curve import (
    efficacy,
    efficacy_models,
    inverse_cost,
    normalised_accuracy,
    p_auccc,
    p_auccc_models,
    padded_area,
)
from prefillroute.metrics.pool_points import PoolPoints, oracle_choice


def one_pool(cost: list[float], accuracy: list[float], oracle: tuple[float, float]) -> PoolPoints:
    return PoolPoints(np.array([cost]), np.array([accuracy]), np.array([oracle[0]]), np.array([oracle[1]]))


POOL = one_pool([1.0, 2.0, 4.0, 8.0], [0.4, 0.6, 0.55, 0.8], (1.5, 0.9))


def x_by_hand(cost: float) -> float:
    return min(max((1 / cost - 1 / 8) / (1 / 1 - 1 / 8), 0.0), 1.0)


def y_by_hand(accuracy: float) -> float:
    return (accuracy - 0.4) / (0.9 - 0.4)


def test_axes_by_hand() -> None:
    cost = [0.9, 1.0, 2.5, 8.0, 9.0]
    np.testing.assert_allclose(inverse_cost(np.array([cost]), POOL)[0], [x_by_hand(c) for c in cost])
    accuracy = [0.3, 0.4, 0.9]
    np.testing.assert_allclose(
        normalised_accuracy(np.array([accuracy]), POOL)[0], [y_by_hand(a) for a in accuracy]
    )


def test_area_is_padded_on_the_left_only() -> None:
    area = padded_area(np.array([[0.25, 0.5, 0.75]]), np.array([[1.0, 0.5, 0.5]]))[0]
    assert area == pytest.approx(0.25 * 1.0 + np.trapezoid([1.0, 0.5, 0.5], [0.25, 0.5, 0.75]))


def test_p_auccc_equals_numpy_on_the_padded_curve() -> None:
    cost, accuracy = np.array([[6.0, 3.0, 1.2, 0.9]]), np.array([[0.85, 0.8, 0.5, 0.4]])
    x = [0.0] + [x_by_hand(c) for c in cost[0]]
    y = [y_by_hand(0.85)] + [y_by_hand(a) for a in accuracy[0]]
    assert p_auccc(cost, accuracy, POOL)[0] == pytest.approx(np.trapezoid(y, x))


def test_models_are_the_pareto_optimal_targets() -> None:
    assert POOL.pareto[0].tolist() == [True, True, False, True]
    x = [0.0, x_by_hand(8.0), x_by_hand(2.0), x_by_hand(1.0)]
    y = [y_by_hand(0.8), y_by_hand(0.8), y_by_hand(0.6), y_by_hand(0.4)]
    assert p_auccc_models(POOL)[0] == pytest.approx(np.trapezoid(y, x))


def test_models_may_leave_the_dear_end_empty() -> None:
    """The dearest target is dominated: the curve starts at the best one, padded from x = 0."""
    pool = one_pool([1.0, 2.0, 8.0], [0.4, 0.7, 0.5], (1.0, 0.9))
    x = [0.0, x_by_hand(2.0), x_by_hand(1.0)]
    y = [y_by_hand(0.7), y_by_hand(0.7), y_by_hand(0.4)]
    assert p_auccc_models(pool)[0] == pytest.approx(np.trapezoid(y, x))


@pytest.mark.parametrize("corner", [False, True])
def test_efficacy_by_hand(corner: bool) -> None:
    goal = (1.0, 1.0) if corner else (x_by_hand(1.5), 1.0)
    cost, accuracy = [6.0, 3.0, 1.0], [0.85, 0.8, 0.4]
    router = [math.dist((x_by_hand(c), y_by_hand(a)), goal) for c, a in zip(cost, accuracy, strict=True)]
    found = efficacy(np.array([cost]), np.array([accuracy]), POOL, corner)[0]
    assert found == pytest.approx(np.mean(router))
    models = [math.dist((x_by_hand(c), y_by_hand(a)), goal) for c, a in [(1.0, 0.4), (2.0, 0.6), (8.0, 0.8)]]
    assert efficacy_models(POOL, corner)[0] == pytest.approx(np.mean(models))


def test_the_oracle_is_at_no_distance_from_itself() -> None:
    assert efficacy(np.array([[1.5]]), np.array([[0.9]]), POOL)[0] == pytest.approx(0.0)


@pytest.mark.parametrize(
    "pool",
    [
        one_pool([2.0, 2.0], [0.4, 0.8], (2.0, 0.9)),  # equal costs
        one_pool([0.1 + 0.2, 0.3], [0.4, 0.8], (0.3, 0.9)),  # equal but for rounding
        one_pool([0.0, 2.0], [0.4, 0.8], (1.0, 0.9)),  # a free target
        one_pool([0.0, 0.0], [0.4, 0.8], (0.0, 0.9)),
        one_pool([1.0, 2.0], [0.8, 0.8], (1.0, 0.8)),  # the oracle is the cheapest target
        one_pool([2.0], [0.5], (2.0, 0.5)),  # one target
    ],
)
def test_no_axis_no_number(pool: PoolPoints) -> None:
    cost, accuracy = pool.cost, pool.accuracy
    assert np.isnan(p_auccc(cost, accuracy, pool)[0])
    assert np.isnan(p_auccc_models(pool)[0])
    assert np.isnan(efficacy(cost, accuracy, pool)[0])


def test_best_and_cheapest_break_ties_by_cost_then_pool_order() -> None:
    pool = one_pool([3.0, 2.0, 2.0, 1.0, 1.0], [0.8, 0.8, 0.8, 0.1, 0.3], (1.0, 0.9))
    assert (pool.best[0], pool.cheapest[0], pool.dearest[0]) == (1, 3, 0)


def test_oracle_is_the_cheapest_that_is_right_else_the_cheapest() -> None:
    correct = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.25, 0.75, 0.75], [1.0, 1.0, 1.0]])
    cost = np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [1.0, 2.0, 2.0], [1.0, 1.0, 1.0]])
    assert oracle_choice(correct, cost).tolist() == [1, 2, 1, 0]


def test_weights_equal_repeated_rows(repeat_rows) -> None:
    generator = np.random.default_rng(0)
    correct, cost = generator.integers(0, 2, (40, 3)) * 1.0, generator.random((40, 3))
    weights = generator.integers(0, 3, (2, 40)).astype(float)
    points = PoolPoints.from_outcomes(correct, cost, weights)
    for row, repeated in enumerate(repeat_rows(weights, np.arange(40))):
        alone = PoolPoints.from_outcomes(correct[repeated], cost[repeated], np.ones((1, len(repeated))))
        np.testing.assert_allclose(points.cost[row], alone.cost[0])
        np.testing.assert_allclose(points.oracle_cost[row], alone.oracle_cost[0])
        np.testing.assert_allclose(p_auccc_models(points)[row], p_auccc_models(alone)[0])
