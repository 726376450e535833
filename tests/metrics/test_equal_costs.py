"""Costs that are equal by their formula are equal everywhere, whatever the last digits of a sum say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefillroute.metrics.equal_costs import TOLERANCE, first_cheapest, level_costs, within
from prefillroute.metrics.pool_points import PoolPoints, oracle_choice

HAIR = 1e-12
"""A relative difference that rounding can make."""


def test_rounding_is_levelled_and_prices_are_not() -> None:
    cost = np.array([[0.3, 0.1 + 0.2, 0.3 * (1 - HAIR), 0.3 + 3e-9, 0.0, np.nan, 1e-3]])
    levelled = level_costs(cost)[0]
    assert levelled[0] == levelled[1] == levelled[2] == cost[0, 2]  # the least of the equals stands for them
    np.testing.assert_array_equal(levelled[3:], cost[0, 3:])


def test_equality_is_transitive() -> None:
    """Each of the chain is within the tolerance of the next, the ends are not: one cost, in any order."""
    chain = 1.0 + 0.8 * TOLERANCE * np.arange(5)
    assert chain[-1] - chain[0] > TOLERANCE * chain[-1]
    for order in ([0, 1, 2, 3, 4], [4, 0, 3, 1, 2]):
        assert (level_costs(chain[order]) == 1.0).all()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from([0.0, 1e-4, 2e-4, 3e-4, 0.07]), min_size=1, max_size=7),
    st.integers(0, 2**32 - 1),
    st.sampled_from([1.0, 0.25, 1024.0, 1 / 3, 1 / 7]),
)
def test_noise_scale_and_order_leave_the_same_costs_equal(
    prices: list[float], seed: int, scale: float
) -> None:
    exact = np.array(prices)
    generator = np.random.default_rng(seed)
    noisy = exact * (1 + HAIR * generator.uniform(-1, 1, len(exact))) * scale
    order = generator.permutation(len(exact))
    levelled = level_costs(noisy)
    np.testing.assert_array_equal(levelled[:, None] == levelled, exact[:, None] == exact)
    np.testing.assert_array_equal(levelled[:, None] < levelled, exact[:, None] < exact)
    np.testing.assert_array_equal(level_costs(noisy[order]), levelled[order])
    np.testing.assert_allclose(levelled, exact * scale, rtol=1e-11)
    assert first_cheapest(noisy) == exact.argmin()
    allowed = generator.random(len(exact)) < 0.5
    allowed[generator.integers(len(exact))] = True
    assert first_cheapest(noisy, allowed) == np.where(allowed, exact, np.inf).argmin()


def test_an_unknown_cost_is_the_dearest() -> None:
    cost = np.array([[np.nan, 2.0, 1.0], [np.nan, np.nan, np.nan]])
    assert first_cheapest(cost).tolist() == [2, 0]
    assert first_cheapest(cost, np.array([True, False, False])).tolist() == [0, 0]


def test_a_budget_buys_what_costs_as_much() -> None:
    assert within(np.array([0.1 + 0.2, 0.3, 0.3001, 0.0]), 0.3).tolist() == [True, True, False, True]
    assert within(np.array([0.0, 1e-300]), 0.0).tolist() == [True, False]


@pytest.mark.parametrize(("num_queries", "price"), [(300, 3e-4), (100, 2e-4), (57, 1e-3), (1000, 0.1)])
def test_five_targets_at_one_price(num_queries: int, price: float) -> None:
    """Sums of identical columns, under weights as well, have one cost, one Pareto target and one order."""
    generator = np.random.default_rng(0)
    correct = (generator.random((num_queries, 5)) < [0.5, 0.6, 0.4, 0.8, 0.7]).astype(float)
    weights = generator.integers(0, 4, (50, num_queries)).astype(float)
    points = PoolPoints.from_outcomes(correct, np.full_like(correct, price), weights)
    assert (points.cost == points.cost[:, :1]).all()
    assert (points.cheapest == 0).all()
    assert (points.dearest == 0).all()
    assert (points.pareto.sum(axis=1) == 1).all()
    assert (points.accuracy[points.pareto] == points.accuracy.max(axis=1)).all()


def test_a_target_offered_twice_stands_once_on_the_front() -> None:
    cost, accuracy = np.array([[1.0, 1.0, 2.0, 2.0]]), np.array([[0.3, 0.4, 0.6, 0.6]])
    points = PoolPoints(cost, accuracy, np.ones(1), np.ones(1))
    assert points.pareto[0].tolist() == [False, True, True, False]
    assert points.best[0] == 2


def test_the_oracle_ignores_rounding() -> None:
    cost = np.array([[0.1 + 0.2, 0.3, 0.5], [0.5, 0.1 + 0.2, 0.3]])
    assert oracle_choice(np.ones((2, 3)), cost).tolist() == [0, 1]
