"""Static mixtures against scipy's ConvexHull and linear programming by hand; hull gain by brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from prefillroute.metrics.hull_gain import concave_hull, cost_at_best_single, hull_gain
from prefillroute.metrics.pool_points import PoolPoints


def best_mixture(cost: np.ndarray, accuracy: np.ndarray, budget: float) -> float:
    """Greatest accuracy of one target within the budget, or of two mixed so that they cost exactly the budget."""
    values = [a for c, a in zip(cost, accuracy, strict=True) if c <= budget]
    for i, j in itertools.permutations(range(len(cost)), 2):
        if cost[i] <= budget < cost[j]:
            share = (budget - cost[i]) / (cost[j] - cost[i])
            values.append((1 - share) * accuracy[i] + share * accuracy[j])
    return max(values)


def pool(cost: np.ndarray, accuracy: np.ndarray) -> PoolPoints:
    return PoolPoints(cost[None], accuracy[None], cost.min()[None], np.ones(1))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.5, 1.0, 2.0, 3.0, 5.0, 8.0]), st.sampled_from([0.1, 0.2, 0.3, 0.4, 0.6, 0.7])
        ),
        min_size=1,
        max_size=8,
    )
)
def test_hull_is_the_best_static_mixture(points: list[tuple[float, float]]) -> None:
    cost, accuracy = np.array(points).T
    hull_cost, hull_accuracy = concave_hull(cost, accuracy)
    assert (np.diff(hull_accuracy) > 0).all()
    for budget in np.linspace(cost.min(), cost.max() + 1, 25):
        found = np.interp(budget, hull_cost, hull_accuracy)
        assert found == pytest.approx(best_mixture(cost, accuracy, budget))


def test_corners_are_those_of_scipy() -> None:
    generator = np.random.default_rng(0)
    cost, accuracy = generator.random(40), generator.random(40)
    hull_cost, hull_accuracy = concave_hull(cost, accuracy)
    vertices = {(cost[v], accuracy[v]) for v in ConvexHull(np.column_stack([cost, accuracy])).vertices}
    assert set(zip(hull_cost, hull_accuracy, strict=True)) <= vertices
    assert hull_accuracy[-1] == accuracy.max()
    assert hull_cost[0] == cost.min()


def test_hull_gain_by_brute_force() -> None:
    generator = np.random.default_rng(1)
    targets = pool(np.array([1.0, 3.0, 10.0, 12.0]), np.array([0.3, 0.5, 0.7, 0.6]))
    cost = np.sort(np.append(generator.uniform(0.9, 11.0, 29), 0.95))[::-1]
    accuracy = generator.uniform(0.3, 0.8, 30)
    gains = []
    for budget in np.geomspace(1.0, 10.0, 200):
        router = max(a for c, a in zip(cost, accuracy, strict=True) if c <= budget)
        gains.append(router - best_mixture(targets.cost[0], targets.accuracy[0], budget))
    assert hull_gain(cost[None], accuracy[None], targets)[0] == pytest.approx(np.mean(gains))


def test_a_router_that_is_the_best_single_target_gains_nothing_there() -> None:
    targets = pool(np.array([2.0, 5.0]), np.array([0.9, 0.5]))  # the cheapest is the best
    assert hull_gain(np.array([[2.0 * (1 + 1e-15)]]), np.array([[0.9]]), targets)[0] == pytest.approx(0.0)


def test_hull_gain_needs_a_price() -> None:
    targets = pool(np.array([0.0, 5.0]), np.array([0.3, 0.5]))
    assert np.isnan(hull_gain(np.array([[5.0, 0.0]]), np.array([[0.6, 0.3]]), targets)[0])


def test_cost_at_best_single() -> None:
    targets = pool(np.array([1.0, 4.0]), np.array([0.3, 0.5]))
    cost = np.array([[5.0, 3.0, 2.0, 1.0]])
    assert cost_at_best_single(cost, np.array([[0.6, 0.5, 0.49, 0.3]]), targets)[0] == 0.75
    assert cost_at_best_single(cost, np.array([[0.4, 0.4, 0.4, 0.3]]), targets)[0] == np.inf
    free = pool(np.array([1.0, 0.0]), np.array([0.3, 0.5]))
    assert np.isnan(cost_at_best_single(cost, np.array([[0.6, 0.5, 0.49, 0.3]]), free)[0])
