"""Pools in which targets cost the same, or nothing: the right values by hand."""

from dataclasses import replace

import numpy as np
import pytest

from prefillroute.routing.evaluation import evaluate
from prefillroute.routing.frontier import exact_frontier
from prefillroute.routing.policies.budget_policy import BudgetPolicy
from prefillroute.routing.policies.inverse_cost_policy import InverseCostPolicy
from prefillroute.routing.policies.lambda_policy import LambdaPolicy
from prefillroute.routing.policies.threshold_policy import ThresholdPolicy
from tests.routing.toy_tables import build_table


def right_on(num_queries: int, *counts: int) -> np.ndarray:
    """Outcomes (N, M): target m answers its first `counts[m]` queries, counted from an offset of its own."""
    correct = np.zeros((num_queries, len(counts)))
    for target, count in enumerate(counts):
        correct[(np.arange(count) + 37 * target) % num_queries, target] = 1.0
    return correct


@pytest.mark.parametrize(
    ("num_queries", "price", "counts", "routed", "gain"),
    [
        (300, 3e-4, (180, 150, 243, 200, 170), 179, -0.213),
        (100, 2e-4, (40, 50, 60, 70, 80), 61, -0.19),
    ],
)
def test_one_price_leaves_only_the_best_single_to_compare_with(
    num_queries: int, price: float, counts: tuple[int, ...], routed: int, gain: float
) -> None:
    """One cost, so one operating point, and the best static mixture is the best single target."""
    correct = right_on(num_queries, *counts)
    confidence = np.full(correct.shape, 0.5)
    hits = 0
    for row in np.argsort(-correct.sum(axis=1), kind="stable"):  # those that nobody misses come first
        sent = (correct[row] == (hits < routed)).argmax()
        confidence[row, sent] = 0.9
        hits += int(correct[row, sent])
    assert hits == routed
    metrics = evaluate(
        build_table(confidence, np.full(correct.shape, price), correct), num_resamples=50
    ).metrics
    found = metrics["test"]
    assert found["best_single_accuracy"] == pytest.approx(max(counts) / num_queries)
    assert found["routed_accuracy_lambda0"] == pytest.approx(routed / num_queries)
    for key in ("hull_gain", "hull_gain_step"):
        assert found[key] == pytest.approx((routed - max(counts)) / num_queries)
        assert found[key] == pytest.approx(gain, abs=5e-4)
        low, high = metrics["intervals"][key]
        assert low < found[key] < high < 0
    assert found["cheapest"] == found["dearest"] == "target-0"
    assert found["cost_savings"] == pytest.approx(0.0)
    for key in ("p_auccc", "mdp_auccc", "p_auccc_models", "efficacy", "efficacy_models"):
        assert found[key] is None
        assert metrics["reasons"][f"test.{key}"].startswith("all targets cost the same")


@pytest.mark.parametrize("num_queries", [97, 300, 1000])
@pytest.mark.parametrize("price", [1e-4, 3e-4, 7e-4, 0.1])
@pytest.mark.parametrize("num_equal", [2, 3])
def test_the_first_of_equal_cheapest_targets_is_the_floor(
    num_queries: int, price: float, num_equal: int
) -> None:
    """A predictor that knows each target's accuracy only: from the dear target to the best of the cheap ones."""
    counts = [int(share * num_queries) for share in ([0.4, 0.6] if num_equal == 2 else [0.4, 0.6, 0.5])]
    counts.append(int(0.8 * num_queries))
    correct = right_on(num_queries, *counts)
    cost = np.tile([price] * num_equal + [100 * price], (num_queries, 1))
    cost[:, 1] *= 1 - 2e-16  # the last digit, to the advantage of the better one
    accuracy = correct.mean(axis=0)
    confidence = np.tile(accuracy, (num_queries, 1))
    metrics = evaluate(build_table(confidence, cost, correct), num_resamples=20).metrics
    found, oracle = metrics["test"], correct.max(axis=1).mean()
    assert found["cheapest"] == "target-0"
    assert found["cheapest_accuracy"] == pytest.approx(accuracy[0])

    def y(value: float) -> float:
        return (value - accuracy[0]) / (oracle - accuracy[0])

    # Two operating points, the dear target at x = 0 and target-1 at x = 1; so are the Pareto-optimal targets.
    assert found["p_auccc"] == pytest.approx((y(accuracy[-1]) + y(accuracy[1])) / 2)
    assert found["p_auccc_models"] == pytest.approx(found["p_auccc"])
    assert found["mdp_auccc"] == pytest.approx(0.0, abs=1e-9)
    assert found["hull_gain"] == pytest.approx(0.0, abs=1e-9)
    # The oracle pays the dear price only where no cheap target is right.
    dear = (correct[:, -1] == 1) & (correct[:, :-1].max(axis=1) == 0)
    least, greatest = price, 100 * price
    oracle_cost = np.where(dear, greatest, least).mean()
    goal = ((1 / oracle_cost - 1 / greatest) / (1 / least - 1 / greatest), 1.0)
    distances = np.hypot(
        np.array([0.0, 1.0, 1.0]) - goal[0], np.array([y(accuracy[-1]), y(accuracy[1]), 0.0]) - 1
    )
    assert found["efficacy_models"] == pytest.approx(distances[:2].mean())
    # On the grid, lambda stays with the dear target up to drop / (drop + 1); at lambda = 1 cost alone is left, and
    # equal costs go to pool order.
    drop = accuracy[-1] - accuracy[1]
    at_dear = int((np.linspace(0, 1, 101) < drop / (drop + 1)).sum())
    assert found["efficacy"] == pytest.approx((distances * [at_dear, 100 - at_dear, 1]).sum() / 101)
    gained = found["efficacy_models"] - found["efficacy"]
    assert (
        abs(gained) > 0.1
    )  # lower is better: the gain is what the router is nearer by, negative where it is not
    assert found["efficacy_gain"] == pytest.approx(gained)


def test_savings_are_measured_against_the_dearest_target(make_table) -> None:
    """Not against the best single one, which is cheaper here."""
    table = make_table(num_targets=4)
    correct = table.correct.copy()
    correct[:, 1] = np.where(np.arange(len(table)) % 20 > 0, 1.0, 0.0)
    metrics = evaluate(replace(table, correct=correct), num_resamples=0).metrics
    found = metrics["test"]
    assert (found["best_single"], found["dearest"]) == ("target-1", "target-3")
    cost = table.part("test").cost_usd.mean(axis=0)
    for prefix, suffix in (("", "_lambda0"), ("", ""), ("paper_", "")):
        saved = 1 - found[f"{prefix}routed_cost{suffix}"] / cost[3]
        assert found[f"{prefix}cost_savings{suffix}"] == pytest.approx(saved)
    assert found["cost_savings"] > 0.3 > 1 - found["routed_cost"] / cost[1]


def test_policies_take_rounding_for_equality() -> None:
    confidence = np.array([[0.5, 0.5, 0.9]])
    cost = np.array([[0.1 + 0.2, 0.3, 0.3 * (1 + 1e-15)]])
    cost_range = (0.3, 0.3 * (1 + 1e-12))  # a range that is rounding is no range
    for policy in (LambdaPolicy(1.0), ThresholdPolicy(0.4)):
        assert policy.choose(confidence, cost, cost_range).tolist() == [0]  # pool order
        assert policy.choose(confidence, cost, (0.0, 1.0)).tolist() == [0]
    assert LambdaPolicy(0.99).choose(confidence, cost, cost_range).tolist() == [2]
    assert BudgetPolicy(0.3).choose(confidence, cost, (0.0, 1.0)).tolist() == [2]
    assert InverseCostPolicy(1.0).choose(confidence[:, :2], cost[:, :2], (0.0, 1.0)).tolist() == [0]


def test_the_frontier_is_blind_to_rounding_of_costs(make_table) -> None:
    """The same operating points, to the last query, from costs whose last digits differ."""
    table = make_table(num_targets=6)
    cost = table.cost_usd[:, [0, 0, 0, 2, 2, 4]]
    cost_range = (float(cost.min()), float(cost.max()))
    noise = 1 + 1e-14 * np.random.default_rng(1).uniform(-1, 1, cost.shape)
    correct = np.nan_to_num(table.correct)
    exact = exact_frontier(table.confidence, cost, correct, cost_range)
    noisy = exact_frontier(table.confidence, cost * noise, correct, cost_range)
    np.testing.assert_array_equal(noisy.accuracy, exact.accuracy)
    np.testing.assert_allclose(noisy.cost_usd, exact.cost_usd, rtol=1e-12)


def test_a_free_target_leaves_what_needs_no_price_ratio(make_table) -> None:
    table = make_table(num_targets=4, noise=0.2)
    free = replace(table, cost_usd=table.cost_usd * [0.0, 1.0, 1.0, 1.0])
    metrics = evaluate(free, num_resamples=20).metrics
    for key in ("p_auccc", "mdp_auccc", "p_auccc_models", "efficacy", "efficacy_models", "efficacy_corner"):
        assert metrics["test"][key] is metrics["intervals"][key] is None
        assert metrics["reasons"][f"test.{key}"] == "the cheapest target is free: 1/C_min is infinite"
    for key in ("hull_gain", "hull_gain_step", "constant_hull_gain", "hull_gain_over_constant"):
        assert metrics["test"][key] is metrics["intervals"][key] is None
        assert metrics["reasons"][f"test.{key}"].startswith("the cheapest target is free: no logarithm")
    for key in ("cost_savings", "cost_at_best_single", "headroom_captured", "mean_auc", "oracle_cost"):
        assert metrics["test"][key] is not None
        low, high = metrics["intervals"][key]
        assert np.isfinite([low, high]).all()


def test_a_pool_of_free_targets_is_measured_by_accuracy_alone(make_table) -> None:
    table = make_table(num_targets=4)
    free = replace(table, cost_usd=np.zeros_like(table.cost_usd))
    metrics = evaluate(free, num_resamples=20, guard=0).metrics
    found, reasons = metrics["test"], metrics["reasons"]
    assert found["cheapest"] == found["dearest"] == "target-0"
    assert reasons["test.p_auccc"] == reasons["test.efficacy"] == "every target is free: 1/C_min is infinite"
    assert reasons["test.cost_savings"] == "every target is free: C_max is 0"
    assert reasons["test.cost_at_best_single"] == "the best single target is free: the denominator is 0"
    assert reasons["test.hull_gain"].startswith("the cheapest target is free")
    test = table.part("test")
    routed = test.correct[np.arange(len(test)), test.confidence.argmax(axis=1)].mean()
    assert found["routed_accuracy"] == found["paper_routed_accuracy"] == pytest.approx(routed)
    assert found["routed_cost"] == found["oracle_cost"] == 0.0
