"""From a confidence table to everything in metrics.json and curve.parquet (DESIGN sections 5 and 6)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from prefillroute.errors import UserError
from prefillroute.metrics.bootstrap import interval, resample_weights
from prefillroute.metrics.cost_curve import inverse_cost, normalised_accuracy
from prefillroute.routing.contest import Contest
from prefillroute.routing.guard import GUARD, Evidence, LambdaChoice, check_guard
from prefillroute.routing.lambda_sweep import GRID_SIZE
from prefillroute.routing.statistics.contract import CONSTANT, SelectionStatistic, Statistic, TargetStatistic
from prefillroute.routing.statistics.declared import Column, declared, global_columns
from prefillroute.routing.statistics.reasons import (
    NEVER_AS_ACCURATE,
    NO_COMPLETE_QUERY,
    NO_ROWS,
    no_lambda,
)
from prefillroute.routing.statistics.view import ContestView, RouterView
from prefillroute.routing.table import ConfidenceTable

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
    once = {name: contest.under(subset[None, :]) for name, subset in subsets.items()}
    for name, view in once.items():
        metrics[name] = _counts(view)
        selection = _selection(contest, view) if name == "test" else ()
        for key, value, reason in (*_choices(view), *selection, *_measured(view)):
            metrics[name][key] = value
            if value is None or (isinstance(value, float) and not np.isfinite(value)):
                metrics["reasons"][f"{name}.{key}"] = reason()
    metrics["targets"] = _targets(once["test"].router, metrics["reasons"])
    metrics["cost_range"] = list(contest.router.cost_range)
    metrics["intervals"] = _intervals(contest, subsets, num_resamples, seed, metrics)
    metrics["num_resamples"] = num_resamples
    return Evaluation(plain(metrics), contest.router.choice, _curve(once["test"].router))


Number = tuple[str, Any, Callable[[], str]]
"""Key, value, and what says why it is null if it is."""


def _counts(view: ContestView) -> dict[str, Any]:
    """Complete queries with weight, and those that are left out."""
    weights, complete = view.router.weights[0], view.router.table.complete
    counted = int((weights * complete).sum())
    return {"num_queries": counted, "num_left_out": int(weights.sum()) - counted}


def _choices(view: ContestView) -> Iterator[Number]:
    """Yield each router's chosen lambdas, and the names of the targets that have a role."""
    for prefix, router in (("", view.router), (CONSTANT, view.constant)):
        made = router.choice
        why = partial(no_lambda, router)
        yield f"{prefix}chosen_lambda", _lambda(made.chosen) if made else None, why
        yield f"{prefix}lambda_at_best_single", _lambda(made.at_best_single) if made else None, why
    points, targets = view.pool.points, view.router.table.targets
    known = not np.isnan(points.oracle_accuracy[0])
    roles = {"best_single": points.best, "cheapest": points.cheapest, "dearest": points.dearest}
    for key, target in roles.items():
        yield key, targets[int(target[0])] if known else None, lambda: NO_COMPLETE_QUERY


def _selection(contest: Contest, view: ContestView) -> Iterator[Number]:
    """Yield the router's quality on the rows on which lambda is chosen."""
    for statistic in declared(SelectionStatistic):
        value = float(statistic.compute(contest.choice_rows)[0])
        yield statistic.key, value, partial(statistic.reason, view.router)


def _measured(view: ContestView) -> Iterator[Number]:
    """Yield every number that has an interval."""
    for column in global_columns():
        yield column.key, column.values(view)[0], partial(column.reason, view)


def _targets(view: RouterView, reasons: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Describe every target on the test rows, and explain in `reasons` why numbers of it are null.

    `num_rows`, the number of the target's outcomes, is a count over the sample itself and has no interval; all others
    have one.
    """
    statistics = declared(TargetStatistic)
    observed = (~np.isnan(view.table.correct)).sum(axis=0)
    found = {}
    for index, target in enumerate(view.table.targets):
        found[target] = {statistic.key: view[statistic][0, index] for statistic in statistics}
        for statistic in statistics:
            if statistic.why is not None and np.isnan(found[target][statistic.key]):
                reasons[f"targets.{target}.{statistic.key}"] = statistic.why(view, index)
        found[target]["num_rows"] = int(observed[index])
    return found


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
        "rows": str(contest.choice_rows.split[0]),
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
    test = contest.router.table
    columns, of_targets = global_columns(), declared(TargetStatistic)
    # What only reads queries on which two targets disagree is the same on both subsets if no outcome is missing.
    same = [column for column in columns if column.statistic.same_on_disagreement and test.complete.all()]
    chunks: dict[tuple[str, ...], list[np.ndarray]] = {}
    centred: set[tuple[str, ...]] = set()
    switches = max(len(sample.frontier.query) for sample in (contest.router, contest.constant))
    for weights in resample_weights(len(test), num_resamples, seed, chunk=chunk_size(switches)):
        known: dict[Column, np.ndarray] = {}
        for name, subset in subsets.items():
            view = contest.under(weights * subset)
            for column, values in known.items():
                column.adopt(view, values)
            known = {column: column.values(view) for column in same}
            for path, statistic, values in _resampled(name, view, columns, of_targets):
                chunks.setdefault(path, []).append(values)
                if statistic.centred:
                    centred.add(path)
    intervals = {}
    for path, parts in chunks.items():
        estimate: Any = estimates
        for step in path:
            estimate = estimate[step]
        shown = ".".join(path).removeprefix("test.")
        intervals[shown] = interval(np.concatenate(parts), centre=estimate if path in centred else None)
    return intervals


def _resampled(
    part: str, view: ContestView, columns: Sequence[Column], of_targets: Sequence[TargetStatistic]
) -> Iterator[tuple[tuple[str, ...], Statistic[Any], np.ndarray]]:
    """Yield place in metrics.json, statistic and values (B,) of every number of one part that has an interval."""
    for column in columns:
        yield (part, column.key), column.statistic, column.values(view)
    if part == "test":
        for statistic in of_targets:
            for index, target in enumerate(view.router.table.targets):
                yield ("targets", target, statistic.key), statistic, view.router[statistic][:, index]


def _curve(view: RouterView) -> pd.DataFrame:
    frontier = view.sample.frontier
    cost, accuracy = view.swept
    return pd.DataFrame(
        {
            "lambda_low": frontier.lambda_low,
            "lambda": frontier.lambda_,
            "lambda_high": frontier.lambda_high,
            "cost_usd": cost[0],
            "accuracy": accuracy[0],
            "x": inverse_cost(cost, view.points)[0],
            "y": normalised_accuracy(accuracy, view.points)[0],
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
