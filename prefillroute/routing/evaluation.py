"""From a confidence table to everything in metrics.json and curve.parquet (DESIGN sections 5 and 6)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from prefillroute.errors import UserError
from prefillroute.metrics.bootstrap import interval, resample_weights
from prefillroute.metrics.cost_curve import inverse_cost, normalised_accuracy
from prefillroute.metrics.masked_mean import weighted_mean
from prefillroute.routing.baselines import constant_confidence, per_benchmark_best
from prefillroute.routing.reasons import reason
from prefillroute.routing.sample import Sample
from prefillroute.routing.statistics import (
    Statistics,
    pool_points,
    pool_statistics,
    router_statistics,
)
from prefillroute.routing.sweep import GRID_SIZE
from prefillroute.routing.table import ConfidenceTable
from prefillroute.routing.target_metrics import target_metrics

# N = test queries, C = complete ones, M = targets, B = resamples

NUM_RESAMPLES = 1000


@dataclass(frozen=True)
class Evaluation:
    """What a run reports; everything can be recomputed from predictions.parquet."""

    metrics: dict[str, Any]
    """metrics.json without timings: plain numbers, names and None."""
    curve: pd.DataFrame
    """curve.parquet: lambda_low, lambda, lambda_high, cost_usd, accuracy, x, y on the complete test queries."""


@dataclass(frozen=True)
class Contest:
    """A router and the baselines that are measured on the same test rows."""

    router: Sample
    constant: Sample
    benchmark_choice: np.ndarray
    """(N,) target per test query, the best of its benchmark in training."""
    notes: dict[str, str]
    """What had to be taken from elsewhere."""

    @classmethod
    def prepare(
        cls, table: ConfidenceTable, grid_size: int, cost_range: tuple[float, float] | None
    ) -> "Contest":
        """Split the table by its `split` column and learn the baselines from the training rows."""
        test, training, calibration = (table.part(name) for name in ("test", "train_oof", "calibration"))
        if len(test) == 0:
            raise UserError("the confidence table has 0 rows with split 'test': wanted at least one")
        notes = {}
        choice_rows = calibration if len(calibration) else training
        learned = training if len(training) else calibration if len(calibration) else test
        if learned is not training:
            notes["baselines"] = (
                f"no train_oof rows: cost range and baselines are those of {learned.split[0]}"
            )
        if cost_range is None:
            cost_range = (float(learned.cost_usd.min()), float(learned.cost_usd.max()))
        constant = constant_confidence(learned.correct)

        def flat(part: ConfidenceTable) -> ConfidenceTable:
            return replace(part, confidence=np.broadcast_to(constant, part.confidence.shape).copy())

        return cls(
            Sample.prepare(test, choice_rows, cost_range, grid_size),
            Sample.prepare(flat(test), flat(choice_rows), cost_range, grid_size),
            per_benchmark_best(learned, test.benchmark),
            notes,
        )

    def statistics(
        self, weights: np.ndarray, relative: np.ndarray | None = None
    ) -> tuple[Statistics, Statistics]:
        """Compute all global statistics under weights (B, N), and the targets' own: name to (B,) and to (B, M).

        `relative` is the router's relative AUC (B,) under these weights, where it is known already.
        """
        sample = self.router
        whole = weights[:, sample.rows] * sample.table.complete[sample.rows]
        found = pool_statistics(pool_points(sample, whole))
        rows, taken = np.arange(len(sample.rows)), self.benchmark_choice[sample.rows]
        found["per_benchmark_best_accuracy"] = weighted_mean(sample.correct[rows, taken], whole)
        found["per_benchmark_best_cost"] = weighted_mean(sample.cost[rows, taken], whole)
        router, targets = router_statistics(sample, weights, relative)
        constant, _ = router_statistics(self.constant, weights)
        found |= router | {f"constant_{name}": values for name, values in constant.items()}
        found["hull_gain_over_constant"] = found["hull_gain"] - found["constant_hull_gain"]
        return found, targets


def evaluate(
    table: ConfidenceTable,
    *,
    num_resamples: int = NUM_RESAMPLES,
    grid_size: int = GRID_SIZE,
    seed: int = 0,
    cost_range: tuple[float, float] | None = None,
) -> Evaluation:
    """Measure a router on the test rows of its confidence table.

    Lambda is chosen on the calibration rows, or else on the out-of-fold ones; cost range and baselines come from the
    training rows; intervals are over test queries.

    Args:
        table: all splits together.
        num_resamples: bootstrap resamples; 0 gives no intervals.
        grid_size: points of the uniform grid on which efficacy is defined.
        seed: of the bootstrap.
        cost_range: (c_lo, c_hi); None takes it from the training rows.

    Raises:
        UserError: no test rows.
    """
    contest = Contest.prepare(table, grid_size, cost_range)
    test = contest.router.table
    metrics: dict[str, Any] = {"test": {}, "disagreement": {}, "reasons": dict(contest.notes)}
    subsets = {"test": np.ones(len(test)), "disagreement": test.disagreement.astype(float)}
    for name, subset in subsets.items():
        metrics[name] = _describe(contest, name, subset, metrics["reasons"])
    metrics["targets"] = target_metrics(contest.router)
    for target, entry in metrics["targets"].items():
        if np.isnan(entry["auc"]):
            metrics["reasons"][f"targets.{target}.auc"] = (
                "one class only, or no rows; left out of mean_auc" if entry["num_rows"] else "no rows"
            )
    metrics["cost_range"] = list(contest.router.cost_range)
    metrics["intervals"] = _intervals(contest, subsets, num_resamples, seed)
    metrics["num_resamples"] = num_resamples
    return Evaluation(plain(metrics), _curve(contest.router))


def _describe(contest: Contest, name: str, subset: np.ndarray, reasons: dict[str, str]) -> dict[str, Any]:
    """Compute one subset's entry of metrics.json, and say in `reasons` why numbers in it are null."""
    sample = contest.router
    complete = sample.table.complete
    weights = subset[None, :]
    points = pool_points(sample, weights[:, sample.rows] * complete[sample.rows])
    counted = int((subset * complete).sum())
    entry: dict[str, Any] = {
        "num_queries": counted,
        "num_left_out": int(subset.sum()) - counted,
        "chosen_lambda": sample.chosen_lambda,
        "lambda_at_best_single": sample.lambda_at_best_single,
        "constant_chosen_lambda": contest.constant.chosen_lambda,
    }
    for role in ("best", "cheapest", "dearest"):
        index = int(getattr(points, role)[0])
        entry["best_single" if role == "best" else role] = sample.table.targets[index] if counted else None
    entry |= {key: values[0] for key, values in contest.statistics(weights)[0].items()}
    for key, value in entry.items():
        if value is None or (isinstance(value, float) and not np.isfinite(value)):
            router = contest.constant if key.startswith("constant_") else sample
            reasons[f"{name}.{key}"] = reason(key.removeprefix("constant_"), points, router.chosen_lambda)
    return entry


def _intervals(
    contest: Contest, subsets: Mapping[str, np.ndarray], num_resamples: int, seed: int
) -> dict[str, tuple[float, float] | None]:
    """95 % bootstrap intervals: `<metric>` on test, `disagreement.<metric>`, `targets.<target>.<metric>`."""
    columns: dict[str, list[np.ndarray]] = {}
    test = contest.router.table
    targets = test.targets
    for weights in resample_weights(len(test), num_resamples, seed):
        relative = None
        for name, subset in subsets.items():
            found, by_target = contest.statistics(weights * subset, relative)
            # It only sees queries on which two targets disagree, so with all outcomes there both subsets agree on it.
            relative = found["relative_auc"] if test.complete.all() else None
            prefix = "" if name == "test" else f"{name}."
            for key, values in found.items():
                columns.setdefault(f"{prefix}{key}", []).append(values)
            if name == "test":
                for key, table in by_target.items():
                    for index, target in enumerate(targets):
                        columns.setdefault(f"targets.{target}.{key}", []).append(table[:, index])
    return {key: interval(np.concatenate(chunks)) for key, chunks in columns.items()}


def _curve(sample: Sample) -> pd.DataFrame:
    frontier = sample.frontier
    weights = sample.table.complete[sample.rows].astype(float)[None, :]
    points = pool_points(sample, weights)
    cost, accuracy = frontier.reweighted(weights)
    return pd.DataFrame(
        {
            "lambda_low": frontier.lambda_low,
            "lambda": frontier.lambda_,
            "lambda_high": frontier.lambda_high,
            "cost_usd": cost[0],
            "accuracy": accuracy[0],
            "x": inverse_cost(cost, points)[0],
            "y": normalised_accuracy(accuracy, points)[0],
        }
    )


def plain(value: Any) -> Any:
    """Turn nested metrics into what JSON holds: Python numbers, strings, lists, and None for NaN and infinity."""
    if isinstance(value, Mapping):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, (bool, int, str)) or value is None:
        return value
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    raise AssertionError(f"not a plain value: {value!r}")
