"""Paired differences between two confidence tables."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from prefillroute.errors import UserError
from prefillroute.metrics.bootstrap import interval, resample_weights
from prefillroute.routing.comparison import compare, compare_targets
from prefillroute.routing.evaluation import evaluate
from prefillroute.routing.statistics.prediction import AUC, ECE


def test_comparison_is_paired_and_knows_no_order(make_table) -> None:
    good, bad = make_table(noise=0.2), make_table(noise=3.0)
    assert np.array_equal(good.correct, bad.correct, equal_nan=True)
    mixed = bad.select(np.random.default_rng(0).permutation(len(bad)))
    found = compare(good, mixed, num_resamples=50)
    assert found["difference"] == pytest.approx(compare(good, bad, num_resamples=0)["difference"])
    alone = [evaluate(table, num_resamples=0).metrics["test"]["mean_auc"] for table in (good, bad)]
    assert found["difference"]["mean_auc"] == pytest.approx(alone[0] - alone[1])
    assert [found[name]["mean_auc"] for name in ("a", "b")] == pytest.approx(alone)
    low, high = found["intervals"]["mean_auc"]
    assert 0 < low < found["difference"]["mean_auc"] < high
    same = compare(good, good, num_resamples=10)
    assert {value for value in same["difference"].values() if value is not None} == {0.0}
    assert same["intervals"]["p_auccc"] == [0.0, 0.0]


def test_comparison_refuses_other_queries_targets_and_outcomes(make_table) -> None:
    table = make_table(num_train=10, num_test=10)
    with pytest.raises(UserError, match="targets of the second table"):
        compare(table, make_table(num_train=10, num_test=10, num_targets=4))
    with pytest.raises(
        UserError, match="the second table: expected the same test queries, found no 'q00019'"
    ):
        compare(table, table.select(np.arange(19)))
    with pytest.raises(UserError, match="expected the same 9 test queries, found 10"):
        compare(table.select(np.arange(19)), table)
    with pytest.raises(UserError, match="outcome of query 'q00010', target 'target-0': expected the same"):
        compare(table, replace(table, correct=1 - table.correct))


def test_a_missing_outcome_is_the_same_where_both_lack_it(make_table) -> None:
    table = make_table(num_train=10, num_test=30)
    correct = table.correct.copy()
    correct[25, 1] = np.nan
    gappy = replace(table, correct=correct)
    assert compare(gappy, gappy, num_resamples=0)["difference"]["mean_auc"] == 0.0
    with pytest.raises(UserError, match="outcome of query 'q00025', target 'target-1': expected the same"):
        compare(gappy, table, num_resamples=0)


def test_only_the_metrics_asked_for_are_compared(make_table) -> None:
    good, bad = make_table(noise=0.2), make_table(noise=3.0)
    whole = compare(good, bad, num_resamples=20)
    some = compare(good, bad, num_resamples=20, only=("hull_gain", "mean_auc"))
    assert set(some["difference"]) == {"hull_gain", "mean_auc"}
    assert all(
        some[part][key] == whole[part][key]
        for part in ("a", "b", "difference", "intervals")
        for key in some["a"]
    )


def test_targets_are_compared_as_scikit_learn_would(make_table) -> None:
    good, bad = make_table(noise=0.2), make_table(noise=3.0)
    correct = good.correct.copy()
    correct[:, 2] = 1.0  # one class
    good, bad = replace(good, correct=correct), replace(bad, correct=correct)
    found = compare_targets(good, bad, statistics=(AUC, ECE), num_resamples=30, seed=4)
    test = good.split == "test"
    draws = next(resample_weights(int(test.sum()), 30, 4, 30))
    for number, target in enumerate(good.targets):
        if number == 2:
            assert found["difference"][target]["auc"] is None
            assert found["intervals"][target]["auc"] is None
            continue
        labels = good.correct[test, number]
        scores = [table.confidence[test, number] for table in (good, bad)]
        areas = [roc_auc_score(labels, score) for score in scores]
        assert [found[name][target]["auc"] for name in ("a", "b")] == pytest.approx(areas)
        assert found["difference"][target]["auc"] == pytest.approx(areas[0] - areas[1])
        drawn = [[roc_auc_score(labels, score, sample_weight=draw) for score in scores] for draw in draws]
        wanted = interval(np.array([first - second for first, second in drawn]))
        assert found["intervals"][target]["auc"] == pytest.approx(wanted)
        low, high = found["intervals"][target]["ece"]  # resampling biases it: the interval is shifted
        assert low < found["difference"][target]["ece"] < high
