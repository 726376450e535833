"""Pareto front and hull corners against their definitions, target by target."""

import numpy as np
import pytest

from prefillroute.routing.pool_front import pool_front


def dominated(cost: np.ndarray, accuracy: np.ndarray, one: int) -> bool:
    return any(
        cost[other] <= cost[one]
        and accuracy[other] >= accuracy[one]
        and (cost[other] < cost[one] or accuracy[other] > accuracy[one])
        for other in range(len(cost))
    )


def mixed_above(cost: np.ndarray, accuracy: np.ndarray, one: int) -> bool:
    """Whether a mixture of two other targets costs the same and is at least as accurate."""
    for left in range(len(cost)):
        for right in range(len(cost)):
            if one in (left, right) or not cost[left] < cost[one] < cost[right]:
                continue
            share = (cost[one] - cost[left]) / (cost[right] - cost[left])
            if (1 - share) * accuracy[left] + share * accuracy[right] >= accuracy[one]:
                return True
    return False


@pytest.mark.parametrize("seed", range(30))
def test_every_target_is_placed_by_the_definitions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 9))
    cost, accuracy = rng.random(count), rng.random(count)
    front = pool_front(cost, accuracy)
    for one in range(count):
        assert front.pareto[one] == (not dominated(cost, accuracy, one))
        assert front.dominated[one] == dominated(cost, accuracy, one)
        worth = not dominated(cost, accuracy, one) and not mixed_above(cost, accuracy, one)
        assert front.corner[one] == worth


def test_of_three_on_a_line_the_middle_one_is_no_corner() -> None:
    front = pool_front(np.array([1.0, 2.0, 3.0, 2.5]), np.array([0.4, 0.5, 0.6, 0.45]))
    assert front.pareto.tolist() == [True, True, True, False]
    assert front.corner.tolist() == [True, False, True, False]


def test_of_equal_targets_none_is_dominated() -> None:
    front = pool_front(np.array([1.0, 1.0, 2.0, 1.0]), np.array([0.5, 0.5, 0.6, 0.4]))
    assert front.pareto.tolist() == front.corner.tolist() == [True, True, True, False]
    assert front.dominated.tolist() == [False, False, False, True]


def test_a_target_of_unknown_cost_is_nowhere() -> None:
    front = pool_front(np.array([np.nan, 2.0]), np.array([0.9, 0.5]))
    assert front.placed.tolist() == [False, True]
    assert front.pareto.tolist() == front.corner.tolist() == [False, True]
    assert not front.dominated.any()
    assert not pool_front(np.full(2, np.nan), np.ones(2)).pareto.any()
