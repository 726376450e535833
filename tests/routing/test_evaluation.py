"""metrics.json and curve.parquet: brute force over the paper's grid, edge cases, and reasons for every null."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from prefillroute.errors import UserError
from prefillroute.routing.comparison import compare
from prefillroute.routing.evaluation import evaluate
from prefillroute.routing.policies.lambda_policy import LambdaPolicy
from prefillroute.routing.table import ConfidenceTable

NAMED_IN_DESIGN = (
    "mean_auc",
    "mean_brier",
    "mean_ece",
    "mean_log_loss",
    "p_auccc",
    "p_auccc_models",
    "mdp_auccc",
    "efficacy",
    "efficacy_models",
    "efficacy_gain",
    "efficacy_corner",
    "routed_accuracy_lambda0",
    "best_single_accuracy",
    "oracle_accuracy",
    "headroom_captured",
    "cost_savings",
    "paper_headroom_captured",
    "paper_cost_savings",
    "hull_gain",
    "cost_at_best_single",
    "relative_auc",
    "constant_hull_gain",
    "constant_mean_auc",
    "constant_mean_brier",
    "constant_routed_accuracy",
    "cheapest_accuracy",
    "cheapest_cost",
    "random_accuracy",
    "per_benchmark_best_accuracy",
    "best_single",
    "best_single_cost",
    "oracle_cost",
    "num_queries",
    "num_left_out",
)


def nulls(entry: Any, path: str = "") -> Iterator[str]:
    if isinstance(entry, dict):
        for key, value in entry.items():
            yield from nulls(value, f"{path}.{key}" if path else key)
    elif entry is None:
        yield path


def by_sweeping(
    table: ConfidenceTable, cost_range: tuple[float, float], lambda_: float
) -> tuple[float, float]:
    choice = LambdaPolicy(lambda_).choose(table.confidence, table.cost_usd, cost_range)
    rows = np.arange(len(table))
    return float(table.cost_usd[rows, choice].mean()), float(table.correct[rows, choice].mean())


def test_holds_everything_that_design_names(make_table) -> None:
    metrics = evaluate(make_table(noise=0.2), num_resamples=20, guard=0.0).metrics
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    for subset in ("test", "disagreement"):
        assert set(NAMED_IN_DESIGN) <= set(metrics[subset])
    assert metrics["reasons"] == {}
    assert list(nulls(metrics)) == []
    low, high = metrics["intervals"]["mean_auc"]
    assert low < metrics["test"]["mean_auc"] < high
    assert set(metrics["intervals"]) >= {"disagreement.hull_gain", "targets.target-0.auc"}
    assert metrics["test"]["constant_mean_auc"] == metrics["test"]["constant_relative_auc"] == 0.5


def test_global_numbers_by_brute_force(make_table) -> None:
    table = make_table(num_test=150)
    evaluation = evaluate(table, num_resamples=0, guard=0.0)
    found, test, train = evaluation.metrics["test"], table.part("test"), table.part("train_oof")
    cost_range = (float(train.cost_usd.min()), float(train.cost_usd.max()))
    assert evaluation.metrics["cost_range"] == list(cost_range)

    best = test.correct.mean(axis=0).argmax()
    oracle = test.correct.max(axis=1).mean()
    assert found["best_single"] == table.targets[best]
    assert found["oracle_accuracy"] == pytest.approx(oracle)
    cost, accuracy = by_sweeping(test, cost_range, 0.0)
    assert (found["routed_cost_lambda0"], found["routed_accuracy_lambda0"]) == pytest.approx((cost, accuracy))

    # The honest reading: lambda from the out-of-fold rows, by a fine brute-force sweep.
    sweep = [by_sweeping(train, cost_range, x) for x in np.linspace(0, 1, 4001)]
    chosen = by_sweeping(train, cost_range, found["chosen_lambda"])
    assert chosen[1] >= max(a for _, a in sweep) - 1e-12
    cost, accuracy = by_sweeping(test, cost_range, found["chosen_lambda"])
    best_accuracy = test.correct[:, best].mean()
    assert found["headroom_captured"] == pytest.approx((accuracy - best_accuracy) / (oracle - best_accuracy))
    assert found["cost_savings"] == pytest.approx(1 - cost / test.cost_usd.mean(axis=0).max())

    # The paper's reading: the best point on test; no lambda on a fine grid is better, and it is on the curve.
    sweep = [by_sweeping(test, cost_range, x) for x in np.linspace(0, 1, 4001)]
    assert found["paper_routed_accuracy"] >= max(a for _, a in sweep) - 1e-12
    assert found["paper_routed_accuracy"] == pytest.approx(evaluation.curve["accuracy"].max())

    # Efficacy on the uniform grid and the area under the curve.
    curve = evaluation.curve
    x = np.concatenate([[0.0], curve["x"]])
    y = np.concatenate([curve["y"].iloc[:1], curve["y"]])
    assert found["p_auccc"] == pytest.approx(np.trapezoid(y, x))
    assert found["mdp_auccc"] == pytest.approx(found["p_auccc"] - found["p_auccc_models"])
    least, greatest = test.cost_usd.mean(axis=0).min(), test.cost_usd.mean(axis=0).max()
    floor = test.correct.mean(axis=0)[test.cost_usd.mean(axis=0).argmin()]

    def place(cost: float, accuracy: float) -> tuple[float, float]:
        return (
            float(np.clip((1 / cost - 1 / greatest) / (1 / least - 1 / greatest), 0, 1)),
            float((accuracy - floor) / (oracle - floor)),
        )

    oracle_place = place(found["oracle_cost"], oracle)
    grid = [place(*by_sweeping(test, cost_range, x)) for x in np.linspace(0, 1, 101)]
    assert found["efficacy"] == pytest.approx(
        np.mean([np.hypot(*np.subtract(p, oracle_place)) for p in grid])
    )


def test_curve_rows_are_what_their_lambda_gives(make_table) -> None:
    table = make_table(num_test=60, missing=0.02)
    evaluation = evaluate(table, num_resamples=0)
    test = table.part("test")
    whole = test.select(test.complete)
    assert evaluation.metrics["test"]["num_left_out"] == len(test) - len(whole) > 0
    assert list(evaluation.curve) == ["lambda_low", "lambda", "lambda_high", "cost_usd", "accuracy", "x", "y"]
    for row in evaluation.curve.itertuples():
        cost, accuracy = by_sweeping(whole, tuple(evaluation.metrics["cost_range"]), row[2])
        assert (row.cost_usd, row.accuracy) == pytest.approx((cost, accuracy), rel=1e-12)


def test_lambda_comes_from_the_calibration_part(make_table) -> None:
    table = make_table(num_train=200, num_calibration=100)
    confidence = table.confidence.copy()
    confidence[table.split == "train_oof"] = np.nan
    found = evaluate(replace(table, confidence=confidence), num_resamples=0).metrics["test"]
    without_training = evaluate(
        table.select(table.split != "train_oof"),
        num_resamples=0,
        cost_range=tuple(evaluate(table, num_resamples=0).metrics["cost_range"]),
    ).metrics
    assert found["chosen_lambda"] == without_training["test"]["chosen_lambda"]
    assert without_training["notes"]["baselines"].startswith("no train_oof rows")
    with pytest.raises(
        UserError, match="confidence of query 'q00000', target 'target-0': expected out-of-fold"
    ):
        evaluate(replace(table, confidence=confidence).select(table.split != "calibration"))


@pytest.mark.parametrize(("num_calibration", "rows"), [(100, "calibration"), (0, "train_oof")])
def test_routers_are_selected_by_rows_that_are_not_test(make_table, num_calibration: int, rows: str) -> None:
    table = make_table(num_train=200, num_calibration=num_calibration, missing=0.1)
    found = evaluate(table, num_resamples=0).metrics["test"]
    part = table.part(rows)
    seen = ~np.isnan(part.correct)
    for key, score in (("selection_auc", roc_auc_score), ("selection_brier", brier_score_loss)):
        expected = [
            score(part.correct[seen[:, m], m], part.confidence[seen[:, m], m])
            for m in range(len(part.targets))
        ]
        assert found[key] == pytest.approx(np.mean(expected))
    as_test = replace(part, split=np.full(len(part), "test", dtype=object))
    whole = as_test.select(as_test.complete)
    span = (whole.cost_usd.min(), whole.cost_usd.max())
    gain = evaluate(as_test, num_resamples=0, cost_range=span).metrics["test"]["hull_gain"]
    assert found["selection_hull_gain"] == pytest.approx(gain)
    assert "selection_auc" not in evaluate(table, num_resamples=5).metrics["intervals"]
    without = evaluate(table.select(table.split == "test"), num_resamples=0).metrics
    assert without["test"]["selection_auc"] is without["test"]["selection_brier"] is None
    assert without["test"]["selection_hull_gain"] is None
    for key in ("selection_auc", "selection_hull_gain"):
        assert without["reasons"][f"test.{key}"].startswith("no calibration or out-of-fold row")


def test_baselines_learn_from_training_rows_only(make_table) -> None:
    table = make_table(num_targets=3)
    test, train = table.part("test"), table.part("train_oof")
    found = evaluate(table, num_resamples=0).metrics["test"]
    constant = np.broadcast_to(train.correct.mean(axis=0), test.correct.shape)
    assert found["constant_mean_brier"] == pytest.approx(((constant - test.correct) ** 2).mean())
    right = []
    for name in np.unique(test.benchmark):
        best = train.correct[train.benchmark == name].mean(axis=0).argmax()
        right.append(test.correct[test.benchmark == name, best])
    assert found["per_benchmark_best_accuracy"] == pytest.approx(np.concatenate(right).mean())
    assert found["random_accuracy"] == pytest.approx(test.correct.mean())


def test_disagreement_is_an_evaluation_of_those_rows(make_table) -> None:
    table = make_table(missing=0.01)
    metrics = evaluate(table, num_resamples=0).metrics
    rows = (table.split != "test") | table.disagreement
    alone = evaluate(table.select(rows), num_resamples=0).metrics["test"]
    for key, value in metrics["disagreement"].items():
        if isinstance(value, float):
            assert value == pytest.approx(alone[key], rel=1e-9), key


@pytest.mark.parametrize(
    "case",
    ["one_target", "one_query", "always_right", "equal_costs", "free_target", "no_complete", "no_training"],
)
def test_edge_cases_give_nulls_with_reasons(make_table, case: str) -> None:
    table = make_table(num_train=40, num_test=30, num_targets=1 if case == "one_target" else 3)
    if case == "one_query":
        table = table.select(np.arange(41))
    elif case == "always_right":
        table = replace(table, correct=np.column_stack([table.correct[:, :2], np.ones(len(table))]))
    elif case == "equal_costs":
        table = replace(table, cost_usd=np.full_like(table.cost_usd, 2e-4))
    elif case == "free_target":
        table = replace(table, cost_usd=table.cost_usd * [0.0, 1.0, 1.0])
    elif case == "no_complete":
        table = replace(table, correct=np.column_stack([table.correct[:, :2], np.full(len(table), np.nan)]))
    elif case == "no_training":
        table = table.part("test")
    metrics = evaluate(table, num_resamples=5).metrics
    json.dumps(metrics, allow_nan=False)
    for path in nulls({name: metrics[name] for name in ("test", "disagreement")}):
        assert metrics["reasons"].get(path, "undefined") != "undefined", path
    expected = {
        "one_target": ("test.headroom_captured", "A_oracle - A_best is 0"),
        "one_query": ("test.mean_auc", "one class"),
        "always_right": ("targets.target-2.auc", "one class"),
        "equal_costs": ("test.p_auccc", "all targets cost the same"),
        "free_target": ("test.p_auccc", "free"),
        "no_complete": ("test.oracle_accuracy", "every target's outcome"),
        "no_training": ("test.chosen_lambda", "no complete calibration or out-of-fold row"),
    }[case]
    assert expected[1] in metrics["reasons"][expected[0]]


def test_senseless_counts_are_refused(make_table) -> None:
    with pytest.raises(UserError, match=r"num_resamples: expected 0 .*, found -1"):
        evaluate(make_table(), num_resamples=-1)
    with pytest.raises(UserError, match=r"grid_size: expected at least 2.*, found 1"):
        compare(make_table(), make_table(), grid_size=1)


def test_no_test_rows_is_an_error(make_table) -> None:
    with pytest.raises(UserError, match="at least one row with split 'test', found 0"):
        evaluate(make_table(num_test=0))
