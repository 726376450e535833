"""The bootstrap intervals of metrics.json: which rows are resampled, and that they hold their estimates."""

from dataclasses import replace

import numpy as np
import pytest

from prefillroute.metrics.bootstrap import resample_weights
from prefillroute.routing.contest import Contest
from prefillroute.routing.evaluation import evaluate
from prefillroute.routing.policies.lambda_policy import LambdaPolicy
from prefillroute.routing.statistics.contract import RouterStatistic
from prefillroute.routing.statistics.declared import declared


def test_intervals_resample_queries(make_table) -> None:
    """Every statistic under weights equals the same statistic on the repeated rows."""
    table = make_table(num_train=100, num_test=60, missing=0.01)
    contest = Contest.prepare(table, 11, None)
    sample = contest.router
    (weights,) = resample_weights(60, 4, seed=1)
    view = contest.under(weights).router
    found = {statistic: view[statistic] for statistic in declared(RouterStatistic)}
    for row, counts in enumerate(weights.astype(int)):
        rows = np.repeat(np.arange(60), counts)
        fields = ("split", "benchmark", "confidence", "cost_usd", "realised_cost_usd", "correct")
        repeated = replace(
            sample.table,
            query_id=np.array([f"copy {index}" for index in range(60)], dtype=object),
            **{name: getattr(sample.table, name)[rows] for name in fields},
        )
        alone = replace(contest, router=replace(sample, table=repeated)).under(np.ones((1, 60))).router
        for statistic, values in found.items():
            # Which lambda stands for a segment, and which pairs have 20 queries, depends on the rows that are there.
            if statistic.key not in ("paper_lambda", "relative_auc"):
                assert values[row] == pytest.approx(alone[statistic][0], nan_ok=True), statistic.key


def test_intervals_hold_their_estimates(make_table) -> None:
    """Also that of ECE, whose resamples all lie above it."""
    metrics = evaluate(make_table(), num_resamples=100).metrics
    for key in ("mean_auc", "mean_brier", "mean_ece", "hull_gain", "p_auccc", "efficacy", "oracle_accuracy"):
        low, high = metrics["intervals"][key]
        assert low < metrics["test"][key] < high, key
    low, high = metrics["intervals"]["targets.target-1.ece"]
    assert low < metrics["targets"]["target-1"]["ece"] < high


def test_intervals_of_the_disagreement_subset_are_over_its_rows(make_table) -> None:
    """The whole test part is resampled, and of each resample only the rows where targets disagree count."""
    table = make_table(num_train=60, num_test=70)
    metrics = evaluate(table, num_resamples=40, seed=2).metrics
    test = table.part("test")
    subset = test.select(test.disagreement)
    choice = LambdaPolicy(0.0).choose(subset.confidence, subset.cost_usd, tuple(metrics["cost_range"]))
    rows = np.arange(len(subset))
    by_hand = {
        "routed_accuracy_lambda0": subset.correct[rows, choice],
        "routed_cost_lambda0": subset.cost_usd[rows, choice],
        "oracle_accuracy": subset.correct.max(axis=1),
    }
    (weights,) = resample_weights(len(test), 40, seed=2)
    counts = weights[:, test.disagreement].astype(int)
    for key, values in by_hand.items():
        drawn = np.sort([np.repeat(values, count).mean() for count in counts])
        expected = [drawn[0], drawn[-1]]  # 2.5 % and 97.5 % of 40, outwards
        assert metrics["intervals"][f"disagreement.{key}"] == pytest.approx(expected), key
        assert metrics["disagreement"][key] == pytest.approx(values.mean()), key
    assert metrics["intervals"]["oracle_accuracy"][0] < 1.0 == metrics["disagreement"]["oracle_accuracy"]
