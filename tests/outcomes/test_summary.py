from dataclasses import replace

import numpy as np
import pytest

from prefillroute.config.facts import TargetConfig
from prefillroute.outcomes.summary import summarise


def test_summary_equals_a_loop(table):
    outcomes = table(num_queries=60, num_targets=3, missing=0.1)
    targets = [TargetConfig(f"m{j}", 1.0, 2.0, "list, 2026-01") for j in range(3)]
    found = summarise(outcomes, targets)
    whole = [q for q in range(len(outcomes)) if not np.isnan(outcomes.correct[q]).any()]
    assert found.complete == len(whole)
    accuracy, spent = [], []
    for q in whole:
        best = max(outcomes.correct[q])
        accuracy.append(best)
        spent.append(min(outcomes.cost_usd[q, m] for m in range(3) if outcomes.correct[q, m] == best))
    assert found.oracle_accuracy == pytest.approx(np.mean(accuracy))
    assert found.oracle_cost_usd == pytest.approx(np.mean(spent))
    assert found.best_accuracy == pytest.approx(outcomes.correct[whole].mean(axis=0).max())
    assert found.headroom == pytest.approx(found.oracle_accuracy - found.best_accuracy)
    assert found.classes["all_wrong"] == sum(outcomes.correct[q].sum() == 0 for q in whole)
    assert sum(found.classes.values()) == len(whole)
    for m, target in enumerate(found.targets):
        assert target.accuracy == pytest.approx(np.nanmean(outcomes.correct[:, m]))
        assert target.cost_usd == pytest.approx(np.nanmean(outcomes.cost_usd[:, m]))


def test_oracle_on_a_hopeless_query_is_the_cheapest_target(table):
    outcomes = table(num_queries=4, num_targets=2)
    outcomes = replace(outcomes, correct=np.zeros((4, 2)), cost_usd=np.tile([3.0, 2.0], (4, 1)))
    found = summarise(outcomes, [TargetConfig("m0"), TargetConfig("m1")])
    assert found.oracle_cost_usd == 2.0
    assert found.best == "m1"  # equal accuracy: the cheaper one


def test_equal_costs_go_to_pool_order_whatever_the_last_digits_say(table):
    """As everywhere: costs that differ by rounding are equal, for the best single target and for the oracle."""
    outcomes = table(num_queries=6, num_targets=3)
    cost = np.tile([0.5, 0.1 + 0.2, 0.3], (6, 1))
    outcomes = replace(outcomes, correct=np.tile([1.0, 1.0, 1.0], (6, 1)), cost_usd=cost)
    found = summarise(outcomes, [TargetConfig(f"m{j}") for j in range(3)])
    assert found.best == "m1"
    assert found.best_cost_usd == pytest.approx(0.3)
    assert found.oracle_cost_usd == pytest.approx(0.3)


def test_unknown_costs_are_nan(table):
    outcomes = table(num_queries=10, num_targets=2)
    outcomes = replace(outcomes, cost_usd=np.full((10, 2), np.nan))
    found = summarise(outcomes, [TargetConfig("m0"), TargetConfig("m1", 1.0, 1.0)])
    assert np.isnan(found.targets[0].cost_usd)
    assert found.targets[1].cost_usd > 0
    assert np.isnan(found.oracle_cost_usd)


def test_the_figures_on_complete_queries_leave_the_others_out(table):
    outcomes = table(num_queries=50, num_targets=3, missing=0.2)
    found = summarise(outcomes, [TargetConfig(f"m{j}", 1.0, 2.0) for j in range(3)])
    whole = outcomes.complete
    assert 0 < whole.sum() < 50
    for m, target in enumerate(found.targets):
        assert target.complete_accuracy == pytest.approx(outcomes.correct[whole, m].mean())
        assert target.complete_cost_usd == pytest.approx(outcomes.cost_usd[whole, m].mean())
