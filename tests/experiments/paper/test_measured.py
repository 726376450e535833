"""Numbers of routers: against scikit-learn, the evaluation of runs, and brute force over resamples."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from experiments.paper.measured import Number, aligned, constant, measure, with_costs
from prefillroute.errors import UserError
from prefillroute.routing.comparison import compare
from prefillroute.routing.evaluation import evaluate


def test_numbers_and_intervals_are_those_of_runs(table_of):
    table = table_of(0.7)
    test = table.part("test")
    found = measure(test, num_resamples=50)
    wanted = evaluate(table, num_resamples=50, grid_size=11).metrics
    for key, number in found.items():
        assert number.value == pytest.approx(wanted["test"][key], rel=1e-12), key
        assert number.interval == pytest.approx(wanted["intervals"][key], rel=1e-9), key
    columns = range(len(test.targets))
    aucs = [roc_auc_score(test.correct[:, m], test.confidence[:, m]) for m in columns]
    briers = [brier_score_loss(test.correct[:, m], test.confidence[:, m]) for m in columns]
    assert found["mean_auc"].value == pytest.approx(np.mean(aucs))
    assert found["mean_brier"].value == pytest.approx(np.mean(briers))
    unmeasured = measure(test, num_resamples=0)
    assert unmeasured["mean_auc"].value == found["mean_auc"].value
    assert unmeasured["mean_auc"].interval is None


def test_differences_are_those_of_comparisons(table_of):
    one, other = table_of(0.5), table_of(0.9, seed=2)
    wanted = compare(one, other, num_resamples=50, grid_size=11)
    first, second = (measure(table.part("test"), num_resamples=50) for table in (one, other))
    for key in first:
        difference = first[key] - second[key]
        assert difference.value == pytest.approx(wanted["difference"][key], abs=1e-12), key
        assert difference.interval == pytest.approx(wanted["intervals"][key], abs=1e-9), key
        low, high = difference.interval
        assert difference.sign == (1 if low > 0 else -1 if high < 0 else 0)


def test_the_constant_predictor_has_no_skill(table_of):
    table = table_of(0.5)
    found = measure(constant(table), num_resamples=0)
    wanted = evaluate(table, num_resamples=0, grid_size=11).metrics["test"]
    assert found["mean_auc"].value == found["relative_auc"].value == 0.5
    assert found["mean_brier"].value == pytest.approx(wanted["constant_mean_brier"])
    assert found["hull_gain"].value == pytest.approx(wanted["constant_hull_gain"], abs=1e-12)


def test_a_mean_over_groups_by_brute_force():
    rng = np.random.default_rng(0)
    groups = [rng.random(40), rng.random(90) + 1, rng.random(7)]
    numbers, drawn = [], []
    for seed, group in enumerate(groups):
        draws = np.random.default_rng(seed).integers(0, len(group), (500, len(group)))
        drawn.append(group[draws].mean(axis=1))
        numbers.append(Number(group.mean(), drawn[-1]))
    found = Number.mean(numbers)
    assert found.value == pytest.approx(np.mean([group.mean() for group in groups]))
    low, high = np.quantile(np.mean(drawn, axis=0), [0.025, 0.975])
    assert found.interval == pytest.approx((low, high), abs=0.01)
    nothing = Number(np.nan, np.full(500, np.nan))
    with_nothing = Number.mean([*numbers, nothing])
    assert with_nothing.value == found.value
    np.testing.assert_array_equal(with_nothing.resamples, found.resamples)
    assert np.isnan(Number.mean([nothing]).value)
    assert Number.mean([nothing]).interval is None
    # A group that is undefined under some resamples is left out of those alone.
    some = Number(3.0, np.where(np.arange(500) < 250, np.nan, 3.0))
    halved = Number.mean([Number(1.0, np.ones(500)), some])
    np.testing.assert_array_equal(halved.resamples, np.where(np.arange(500) < 250, 1.0, 2.0))


def test_rows_are_brought_into_order_with_the_costs_of_another(table_of):
    table = table_of(0.5)
    wanted = table.query_id[[7, 3, 11]]
    found = aligned(table, wanted)
    np.testing.assert_array_equal(found.query_id, wanted)
    np.testing.assert_array_equal(found.correct, table.correct[[7, 3, 11]])
    doubled = aligned(table, table.query_id[::-1])
    doubled = type(doubled)(**{**vars(doubled), "cost_usd": 2 * doubled.cost_usd})
    np.testing.assert_array_equal(with_costs(found, doubled).cost_usd, 2 * found.cost_usd)
    with pytest.raises(UserError, match=r"query 'gone': expected a prediction of it, found none among"):
        aligned(table, np.array(["gone"], dtype=object))
