"""What metrics.json says of each target and of what was spent: shares, routing deltas and costs by hand."""

from dataclasses import replace

import numpy as np
import pytest

from prefillroute.routing.evaluation import evaluate
from prefillroute.routing.policies.lambda_policy import LambdaPolicy


def test_routing_delta_and_shares(make_table) -> None:
    table = make_table(missing=0.1)
    metrics = evaluate(table, num_resamples=0).metrics
    test = table.part("test")
    choice = LambdaPolicy(0.0).choose(test.confidence, test.cost_usd, tuple(metrics["cost_range"]))
    assert sum(entry["share_lambda0"] for entry in metrics["targets"].values()) == pytest.approx(1.0)
    entry, right = metrics["targets"]["target-4"], test.correct[:, 4]
    assert entry["num_rows"] == (~np.isnan(right)).sum()
    assert entry["accuracy_routed_to_lambda0"] == pytest.approx(np.nanmean(right[choice == 4]))
    assert entry["accuracy_routed_away_lambda0"] == pytest.approx(np.nanmean(right[choice != 4]))
    assert entry["cost_routed_to_lambda0"] == pytest.approx(test.cost_usd[choice == 4, 4].mean())


def test_costs_of_a_target_are_of_the_rows_routed_to_it_and_away(make_table) -> None:
    table = make_table(missing=0.1)
    metrics = evaluate(table, num_resamples=0).metrics
    test = table.part("test")
    choice = LambdaPolicy(0.0).choose(test.confidence, test.cost_usd, tuple(metrics["cost_range"]))
    for index, target in enumerate(table.targets):
        entry, cost, right = metrics["targets"][target], test.cost_usd[:, index], test.correct[:, index]
        assert (choice == index).any()
        assert entry["cost_routed_to_lambda0"] == pytest.approx(cost[choice == index].mean())
        assert entry["cost_routed_away_lambda0"] == pytest.approx(cost[choice != index].mean())
        assert entry["cost_routed_to_lambda0"] != pytest.approx(entry["cost_routed_away_lambda0"], rel=1e-3)
        assert entry["routing_delta_lambda0"] == pytest.approx(
            np.nanmean(right[choice == index]) - np.nanmean(right[choice != index])
        )
        assert entry["mean_cost"] == pytest.approx(cost.mean())
        assert entry["accuracy"] == pytest.approx(np.nanmean(right))
        assert entry["mean_confidence"] == pytest.approx(test.confidence[:, index].mean())


def test_an_unknown_realised_cost_is_left_out_of_the_mean(make_table) -> None:
    table = make_table(num_test=90)
    realised = table.realised_cost_usd.copy()
    realised[::3] = np.nan
    metrics = evaluate(replace(table, realised_cost_usd=realised), num_resamples=0).metrics
    test = table.part("test")
    choice = LambdaPolicy(0.0).choose(test.confidence, test.cost_usd, tuple(metrics["cost_range"]))
    spent = realised[table.split == "test"][np.arange(90), choice]
    assert np.isnan(spent).sum() == 30
    assert metrics["test"]["routed_realised_cost_lambda0"] == pytest.approx(np.nanmean(spent))
    unknown = evaluate(
        replace(table, realised_cost_usd=np.full_like(realised, np.nan)), num_resamples=0
    ).metrics
    assert unknown["test"]["routed_realised_cost"] is None
    assert unknown["reasons"]["test.routed_realised_cost"] == "no realised cost is known"
