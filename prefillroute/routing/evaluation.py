"""From a confidence table to everything in metrics.json and curve.parquet (DESIGN sections 5 and 6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from prefillroute.errors import UserError
from prefillroute.metrics.bootstrap import interval, resample_weights
from prefillroute.metrics.cost_curve import inverse_cost, normalised_accuracy
from prefillroute.routing.contest import Contest
from prefillroute.routing.guard import GUARD, Evidence, LambdaChoice, check_guard
from prefillroute.routing.reasons import NEVER_AS_ACCURATE, NO_ROWS, reason
from prefillroute.routing.sample import Sample
from prefillroute.routing.statistics import pool_points
from prefillroute.routing.sweep import GRID_SIZE
from prefillroute.routing.table import ConfidenceTable
from prefillroute.routing.target_metrics import delta_statistics, target_metrics

# N = test queries, C = complete ones, M = targets, B = resamples

NUM_RESAMPLES = 1000


@dataclass(frozen=True)
class Evaluation:
    """The numbers that a run reports; all of them can be recomputed from predictions.parquet."""

    metrics: dict[str, Any]
    """The content of metrics.json without timings: plain numbers, names and None."""
    choice: LambdaChoice | None
    """The choice of lambda, made without the test rows; None without calibration and out-of-fold rows."""
    curve: pd.DataFrame
    """The content of curve.parquet: lambda_low, lambda, lambda_high, cost_usd, accuracy, x and y on the complete
    test queries."""


def evaluate(
    table: ConfidenceTable,
    *,
    num_resamples: int = NUM_RESAMPLES,
    grid_size: int = GRID_SIZE,
    seed: int = 0,
    cost_range: tuple[float, float] | None = None,
    guard: float = GUARD,
) -> Evaluation:
    """Measure a router on the test rows of its confidence table.

    Lambda is chosen on the calibration rows, or on the out-of-fold rows if there are none. Cost range and baselines
    come from the training rows. Intervals are over test queries.

    Args:
        table: all splits together.
        num_resamples: bootstrap resamples; 0 gives no intervals.
        grid_size: points of the uniform grid on which efficacy is defined.
        seed: seed of the bootstrap.
        cost_range: (c_lo, c_hi); None takes it from the training rows.
        guard: standard errors by which the paired gain over the best single target must exceed 0 for the router to
            leave that target at the chosen lambda; 0 takes the lambda of greatest accuracy whatever the evidence.

    Raises:
        UserError: there are no test rows, or an argument is out of range.

    Example:
        >>> ids, split = np.array(["a", "b"], dtype=object), np.array(["test", "test"], dtype=object)
        >>> correct, cost = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([[1.0, 2.0], [1.0, 2.0]])
        >>> table = ConfidenceTable(ids, split, ids, ("small", "large"), correct, cost, cost, correct)
        >>> metrics = evaluate(table, num_resamples=0).metrics["test"]
        >>> metrics["best_single"], metrics["oracle_cost"]
        ('large', 1.5)
    """
    check_counts(num_resamples, grid_size)
    contest = Contest.prepare(table, grid_size, cost_range, check_guard(guard))
    test = contest.router.table
    metrics: dict[str, Any] = {"test": {}, "disagreement": {}, "choice": None, "reasons": {}}
    metrics["notes"] = contest.notes
    metrics["choice"] = _choice(contest, metrics["reasons"])
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
    metrics["intervals"] = _intervals(contest, subsets, num_resamples, seed, metrics)
    metrics["num_resamples"] = num_resamples
    return Evaluation(plain(metrics), contest.router.choice, _curve(contest.router))


def _describe(contest: Contest, name: str, subset: np.ndarray, reasons: dict[str, str]) -> dict[str, Any]:
    """Compute the entry of one subset in metrics.json, and explain in `reasons` why numbers in it are null."""
    sample = contest.router
    complete = sample.table.complete
    weights = subset[None, :]
    points = pool_points(sample, weights[:, sample.rows] * complete[sample.rows])
    counted = int((subset * complete).sum())
    entry: dict[str, Any] = {"num_queries": counted, "num_left_out": int(subset.sum()) - counted}
    for key, made in (("", sample.choice), ("constant_", contest.constant.choice)):
        entry[f"{key}chosen_lambda"] = _lambda(made.chosen) if made else None
        entry[f"{key}lambda_at_best_single"] = _lambda(made.at_best_single) if made else None
    for role in ("best", "cheapest", "dearest"):
        index = int(getattr(points, role)[0])
        entry["best_single" if role == "best" else role] = sample.table.targets[index] if counted else None
    if name == "test":
        entry |= contest.selection
    entry |= {key: values[0] for key, values in contest.statistics(weights)[0].items()}
    for key, value in entry.items():
        if value is None or (isinstance(value, float) and not np.isfinite(value)):
            router = contest.constant if key.startswith("constant_") else sample
            reasons[f"{name}.{key}"] = reason(key.removeprefix("constant_"), points, router.choice)
    return entry


def _lambda(evidence: Evidence | None) -> float | None:
    return None if evidence is None else evidence.lambda_


def _choice(contest: Contest, reasons: dict[str, str]) -> dict[str, Any] | None:
    """Describe what was chosen without the test rows, and on what evidence."""
    made, targets = contest.router.choice, contest.router.table.targets
    if made is None:
        reasons["choice"] = NO_ROWS
        return None
    if np.isnan(made.most_accurate.standard_error):
        reasons["choice.most_accurate.standard_error"] = "a single query has no standard error"
    if made.at_best_single is None and made.fallback is None:
        reasons["choice.at_best_single"] = NEVER_AS_ACCURATE

    def entry(evidence: Evidence | None) -> dict[str, Any] | None:
        if evidence is None:
            return None if made.fallback is None else {"target": targets[made.fallback]}
        return {
            "lambda": evidence.lambda_, "gain": evidence.gain, "standard_error": evidence.standard_error,
        }  # fmt: skip

    return {
        "rows": contest.choice_split,
        "num_rows": made.num_rows,
        "guard": made.guard,
        "best_single": targets[made.best_single],
        "most_accurate": entry(made.most_accurate),
        "chosen": entry(made.chosen),
        "at_best_single": entry(made.at_best_single),
    }


def _intervals(
    contest: Contest,
    subsets: Mapping[str, np.ndarray],
    num_resamples: int,
    seed: int,
    estimates: Mapping[str, Any],
) -> dict[str, tuple[float, float] | None]:
    """Compute 95 % bootstrap intervals: `<metric>` on test, `disagreement.<metric>`, `targets.<target>.<metric>`.

    A resample in which a number is undefined (no query is routed to the target) is left out of that number's interval.
    """
    columns: dict[tuple[str, ...], list[np.ndarray]] = {}
    test = contest.router.table
    switches = max(len(sample.frontier.query) for sample in (contest.router, contest.constant))
    for weights in resample_weights(len(test), num_resamples, seed, chunk=chunk_size(switches)):
        relative = None
        for name, subset in subsets.items():
            found, by_target = contest.statistics(weights * subset, relative)
            # It only reads queries on which two targets disagree, so both subsets share it if no outcome is missing.
            relative = found["relative_auc"] if test.complete.all() else None
            for key, values in found.items():
                columns.setdefault((name, key), []).append(values)
            if name == "test":
                for key, table in (by_target | delta_statistics(contest.router, weights)).items():
                    for index, target in enumerate(test.targets):
                        columns.setdefault(("targets", target, key), []).append(table[:, index])
    intervals = {}
    for path, chunks in columns.items():
        estimate: Any = estimates
        for step in path:
            estimate = estimate[step]
        centre = estimate if path[-1].endswith("ece") else None
        shown = ".".join(path).removeprefix("test.")
        intervals[shown] = interval(np.concatenate(chunks), centre=centre)
    return intervals


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


def chunk_size(num_switches: int) -> int:
    """Number of resamples computed together: one (B, E) array over a frontier's switches stays near 32 MB."""
    return int(np.clip(4_000_000 // (num_switches + 1), 8, 200))


def check_counts(num_resamples: int, grid_size: int) -> None:
    """Reject a negative number of resamples and a grid without both ends.

    Raises:
        UserError: names the argument, the expected range and the value found.
    """
    if num_resamples < 0:
        raise UserError(f"num_resamples: expected 0 (no intervals) or more, found {num_resamples}")
    if grid_size < 2:
        raise UserError(f"grid_size: expected at least 2, for lambda 0 and 1, found {grid_size}")


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
