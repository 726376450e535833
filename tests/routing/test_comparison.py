"""Paired differences between two confidence tables."""

from dataclasses import replace

import numpy as np
import pytest

from prefillroute.errors import UserError
from prefillroute.routing.comparison import compare
from prefillroute.routing.evaluation import evaluate


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
