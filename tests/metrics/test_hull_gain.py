"""Static mixtures against scipy's ConvexHull and linear programming by hand; hull gain by brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.spatial import ConvexHull

from prefillroute.metrics.hull_gain import concave_hull, cost_at_best_single, hull_gains
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


def by_linear_programming(cost: np.ndarray, accuracy: np.ndarray, budget: float) -> float:
    """Greatest accuracy of any mixture, of however many points, that costs no more than the budget."""
    found = linprog(
        -accuracy, A_ub=cost[None], b_ub=[budget], A_eq=np.ones((1, len(cost))), b_eq=[1.0], bounds=(0, 1)
    )
    assert found.success
    return -found.fun


def test_both_readings_by_brute_force() -> None:
    generator = np.random.default_rng(1)
    targets = pool(np.array([1.0, 3.0, 10.0, 12.0]), np.array([0.3, 0.5, 0.7, 0.6]))
    cost = np.sort(np.append(generator.uniform(0.9, 11.0, 29), 0.95))[::-1]
    accuracy = generator.uniform(0.3, 0.8, 30)
    mixed, single = [], []
    for budget in np.geomspace(1.0, 10.0, 200):
        baseline = by_linear_programming(targets.cost[0], targets.accuracy[0], budget)
        mixed.append(by_linear_programming(cost, accuracy, budget) - baseline)
        single.append(max(a for c, a in zip(cost, accuracy, strict=True) if c <= budget) - baseline)
    gain, step = hull_gains(cost[None], accuracy[None], targets)
    assert gain[0] == pytest.approx(np.mean(mixed), abs=1e-8)
    assert step[0] == pytest.approx(np.mean(single), abs=1e-8)
    assert step[0] < gain[0]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 9), st.integers(1, 40))
def test_gain_is_that_of_enumerated_mixtures(seed: int, num_targets: int, num_points: int) -> None:
    """Prices and accuracies from short lists, so that ties abound; the router affords the cheapest target."""
    generator = np.random.default_rng(seed)
    targets = pool(generator.integers(1, 6, num_targets) * 1e-4, generator.integers(0, 8, num_targets) / 8)
    cost = np.append(generator.integers(1, 9, num_points) * 1e-4, targets.cost.min())
    cost = np.sort(cost)[::-1]
    accuracy = generator.integers(0, 9, num_points + 1) / 8
    cheapest, best = targets.cost.min(), targets.cost_of(targets.best)[0]
    gains = [
        best_mixture(cost, accuracy, budget) - best_mixture(targets.cost[0], targets.accuracy[0], budget)
        for budget in np.geomspace(cheapest, best, 20) * (1 + 1e-9)
    ]
    gain, step = hull_gains(cost[None], accuracy[None], targets, num_costs=20)
    assert gain[0] == pytest.approx(np.mean(gains), abs=1e-6)
    assert step[0] <= gain[0] + 1e-12


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_a_router_that_is_the_static_mixture_gains_exactly_nothing(seed: int, num_targets: int) -> None:
    """Unmixed it is below that mixture, which is what the older reading charges it for."""
    generator = np.random.default_rng(seed)
    targets = pool(10.0 ** generator.uniform(-5, -1, num_targets), generator.random(num_targets))
    cost, accuracy = concave_hull(targets.cost[0], targets.accuracy[0])
    gain, step = hull_gains(cost[None, ::-1], accuracy[None, ::-1], targets)
    assert gain[0] == 0.0
    assert step[0] < 0 or len(cost) == 1
    noise = 1 + 1e-14 * generator.uniform(-1, 1, len(cost))
    noisy, _ = hull_gains((cost * noise)[None, ::-1], accuracy[None, ::-1], targets)
    assert noisy[0] == pytest.approx(0.0, abs=1e-9)


def test_a_router_that_is_the_best_single_target_gains_nothing_there() -> None:
    targets = pool(np.array([2.0, 5.0]), np.array([0.9, 0.5]))  # the cheapest is the best
    for gain in hull_gains(np.array([[2.0 * (1 + 1e-15)]]), np.array([[0.9]]), targets):
        assert gain[0] == pytest.approx(0.0)


def test_equal_costs_but_for_rounding_are_one_budget() -> None:
    """Of points that cost as much as the one price, the best counts, on whichever side of it rounding put them."""
    targets = pool(np.array([0.3, 0.1 + 0.2]), np.array([0.5, 0.8]))
    cost = 0.3 * np.array([[1 + 3e-16, 1 + 2e-16, 1.0, 1 - 2e-16]])
    for gain in hull_gains(cost, np.array([[0.6, 0.7, 0.2, 0.1]]), targets):
        assert gain[0] == pytest.approx(-0.1)


@pytest.mark.parametrize("cost", [[0.0, 5.0], [0.0, 0.0]])
def test_hull_gain_needs_a_price(cost: list[float]) -> None:
    targets = pool(np.array(cost), np.array([0.3, 0.5]))
    for gain in hull_gains(np.array([[5.0, 0.0]]), np.array([[0.6, 0.3]]), targets):
        assert np.isnan(gain[0])


def test_cost_at_best_single() -> None:
    targets = pool(np.array([1.0, 4.0]), np.array([0.3, 0.5]))
    cost = np.array([[5.0, 3.0, 2.0, 1.0]])
    assert cost_at_best_single(cost, np.array([[0.6, 0.5, 0.49, 0.3]]), targets)[0] == 0.75
    assert cost_at_best_single(cost, np.array([[0.4, 0.4, 0.4, 0.3]]), targets)[0] == np.inf
    free = pool(np.array([1.0, 0.0]), np.array([0.3, 0.5]))
    assert np.isnan(cost_at_best_single(cost, np.array([[0.6, 0.5, 0.49, 0.3]]), free)[0])
