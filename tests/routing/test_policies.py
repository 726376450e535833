"""Every policy against its definition spelled out, the shared tie rule, and arguments that make no sense."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefillroute.errors import UserError
from prefillroute.routing.policies.budget_policy import BudgetPolicy
from prefillroute.routing.policies.contract import Policy
from prefillroute.routing.policies.inverse_cost_policy import InverseCostPolicy
from prefillroute.routing.policies.lambda_policy import LambdaPolicy
from prefillroute.routing.policies.threshold_policy import ThresholdPolicy
from prefillroute.routing.policies.tolerance_policy import TolerancePolicy

LEVELS = [0.0, 0.2, 0.5, 0.5, 0.9, 1.0]
PRICES = [0.0, 1.0, 1.0, 2.0, 4.0]


def by_hand(policy: object, p: list[float], c: list[float], low: float, high: float) -> int:
    """One query; the first of the targets that share the best score and, among those, the least cost."""

    def score(m: int) -> float:
        match policy:
            case LambdaPolicy(lambda_=weight):
                relative = (c[m] - low) / (high - low) if high > low else 0.0
                return (1 - weight) * p[m] - weight * relative
            case BudgetPolicy(budget_usd=budget):
                return p[m] if c[m] <= budget else -1.0
            case ThresholdPolicy(threshold=least):
                return 2.0 if p[m] >= least else p[m]
            case TolerancePolicy(tolerance=given_up):
                return 1.0 if p[m] >= max(p) - given_up else 0.0
            case InverseCostPolicy(alpha=alpha):
                if alpha > 0 and any(c[i] == 0 and p[i] > 0 for i in range(len(p))):
                    return p[m] if c[m] == 0 else -1.0
                return p[m] / c[m] ** alpha if p[m] > 0 else 0.0
        raise AssertionError(policy)

    return min(range(len(p)), key=lambda m: (-score(m), c[m], m))


POLICIES: list[Policy] = [
    LambdaPolicy(0.0),
    LambdaPolicy(0.3),
    LambdaPolicy(1.0),
    BudgetPolicy(1.0),
    BudgetPolicy(0.5),
    ThresholdPolicy(0.5),
    ThresholdPolicy(1.0),
    TolerancePolicy(0.0),
    TolerancePolicy(0.4),
    InverseCostPolicy(0.0),
    InverseCostPolicy(1.0),
]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: f"{type(policy).__name__}-{vars(policy)}")
@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(LEVELS), st.sampled_from(PRICES)), min_size=1, max_size=6))
def test_equals_its_definition(policy: Policy, row: list[tuple[float, float]]) -> None:
    p, c = (list(column) for column in zip(*row, strict=True))
    chosen = policy.choose(np.array([p]), np.array([c]), (1.0, 4.0))
    assert chosen.tolist() == [by_hand(policy, p, c, 1.0, 4.0)]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: f"{type(policy).__name__}-{vars(policy)}")
@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(LEVELS), st.sampled_from(PRICES)), min_size=1, max_size=6))
def test_the_ranking_begins_with_the_choice(policy: Policy, row: list[tuple[float, float]]) -> None:
    p, c = (np.array([column]) for column in zip(*row, strict=True))
    ranking = policy.ranking(p, c, (1.0, 4.0))
    assert sorted(ranking[0]) == list(range(len(row)))
    np.testing.assert_array_equal(ranking[:, 0], policy.choose(p, c, (1.0, 4.0)))


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (LambdaPolicy(0.3), [3, 1, 0, 2]),
        (BudgetPolicy(2.0), [3, 1, 2, 0]),
        (ThresholdPolicy(0.5), [1, 3, 0, 2]),
        (TolerancePolicy(0.2), [3, 0, 1, 2]),
        (InverseCostPolicy(1.0), [1, 3, 2, 0]),
    ],
)
def test_who_is_second(policy: Policy, expected: list[int]) -> None:
    """Below the choice, targets that fall short are ordered by confidence, those too dear by price."""
    confidence, cost = np.array([[0.9, 0.6, 0.3, 0.8]]), np.array([[4.0, 1.0, 1.0, 2.0]])
    assert policy.ranking(confidence, cost, (1.0, 4.0)).tolist() == [expected]


def test_lambda_ends() -> None:
    confidence, cost = np.array([[0.2, 0.9, 0.5]]), np.array([[3e-4, 5e-4, 1e-4]])
    assert LambdaPolicy(0.0).choose(confidence, cost, (1e-4, 5e-4)).tolist() == [1]
    assert LambdaPolicy(1.0).choose(confidence, cost, (1e-4, 5e-4)).tolist() == [2]


def test_equal_training_costs_leave_confidence_to_decide() -> None:
    confidence, cost = np.array([[0.2, 0.9]]), np.array([[1e-4, 3e-4]])
    assert LambdaPolicy(0.99).choose(confidence, cost, (2e-4, 2e-4)).tolist() == [1]
    assert LambdaPolicy(1.0).choose(confidence, cost, (2e-4, 2e-4)).tolist() == [0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LambdaPolicy(1.5), r"policy.lambda_: expected a number in \[0, 1\], found 1.5"),
        (lambda: LambdaPolicy(-0.1), "policy.lambda_: .*found -0.1"),
        (lambda: LambdaPolicy(math.nan), "policy.lambda_: .*found nan"),
        (lambda: LambdaPolicy("cheap"), "policy.lambda_: .*found cheap"),  # type: ignore[arg-type]
        (lambda: ThresholdPolicy(2), "policy.threshold: .*found 2"),
        (lambda: TolerancePolicy(-1), "policy.tolerance: .*found -1"),
        (lambda: BudgetPolicy(-1), "policy.budget_usd: expected a number of at least 0, found -1"),
        (lambda: InverseCostPolicy(-1), "policy.alpha: .*found -1"),
    ],
)
def test_senseless_arguments_are_refused_by_name(make: Callable[[], object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        make()


def test_extreme_alpha_is_the_cheapest() -> None:
    chosen = InverseCostPolicy(1e4).choose(np.array([[0.9, 0.1]]), np.array([[2e-3, 1e-3]]), (0.0, 1.0))
    assert chosen.tolist() == [1]


@pytest.mark.parametrize("cost_range", [(2.0, 1.0), (np.nan, 1.0), (0.0, np.inf)])
def test_senseless_cost_range(cost_range: tuple[float, float]) -> None:
    with pytest.raises(UserError, match="cost_range"):
        LambdaPolicy(0.5).choose(np.ones((1, 1)), np.ones((1, 1)), cost_range)
