"""Compares two routers on the same test queries: paired differences with bootstrap intervals."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd

from prefillroute.errors import UserError
from prefillroute.metrics.bootstrap import interval, resample_weights
from prefillroute.routing.contest import Contest
from prefillroute.routing.evaluation import NUM_RESAMPLES, check_counts, chunk_size, plain
from prefillroute.routing.guard import GUARD, check_guard
from prefillroute.routing.lambda_sweep import GRID_SIZE
from prefillroute.routing.statistics.contract import RouterStatistic, Statistic, TargetStatistic
from prefillroute.routing.statistics.declared import declared
from prefillroute.routing.statistics.prediction import AUC, BRIER
from prefillroute.routing.statistics.view import RouterView
from prefillroute.routing.table import ConfidenceTable

# N = test queries, M = targets, B = resamples


def compare(
    a: ConfidenceTable,
    b: ConfidenceTable,
    *,
    num_resamples: int = NUM_RESAMPLES,
    grid_size: int = GRID_SIZE,
    seed: int = 0,
    cost_range: tuple[float, float] | None = None,
    guard: float = GUARD,
    only: Collection[str] | None = None,
) -> dict[str, Any]:
    """Measure a - b for every global metric; both meet the same resamples of the test queries.

    Args:
        a: the first router's table.
        b: the second router's table, over the same test queries and targets, with rows in any order.
        num_resamples: bootstrap resamples; 0 gives no intervals.
        grid_size: points of the uniform grid on which efficacy is defined.
        seed: seed of the bootstrap.
        cost_range: (c_lo, c_hi); None takes each table's own range, from its training rows.
        guard: guard of each router's choice of lambda, see `evaluate`.
        only: keys of the metrics that are wanted; None takes all.

    Returns:
        `num_queries`, and per metric `a`, `b`, `difference` and `intervals` (95 %, of the difference). A value is None
        where either is undefined.

    Raises:
        UserError: test queries, targets or outcomes differ.

    Example:
        >>> ids, split, nan = np.array(["a", "b"], dtype=object), np.array(["test", "test"], dtype=object), np.nan
        >>> correct, cost = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([[1.0, 2.0], [1.0, 2.0]])
        >>> good = ConfidenceTable(ids, split, ids, ("small", "large"), correct, cost, cost, correct)
        >>> poor = ConfidenceTable(ids, split, ids, ("small", "large"), 0.5 + 0 * correct, cost, cost, correct)
        >>> compare(good, poor, num_resamples=0)["difference"]["mean_brier"]
        -0.25
    """
    check_counts(num_resamples, grid_size)
    check_guard(guard)
    b = _aligned(a, b)
    contests = [Contest.prepare(table, grid_size, cost_range, guard) for table in (a, b)]
    statistics = [each for each in declared(RouterStatistic) if only is None or each.key in only]
    values, difference, resampled = _paired(contests, statistics, num_resamples, seed)
    centred = {each.key for each in statistics if each.centred}
    return plain(
        {
            "num_queries": len(a.part("test")),
            "a": {key: value[0] for key, value in values[0].items()},
            "b": {key: value[0] for key, value in values[1].items()},
            "difference": {key: value[0] for key, value in difference.items()},
            "intervals": {
                key: interval(samples, centre=difference[key][0] if key in centred else None)
                for key, samples in resampled.items()
            },
        }
    )


def compare_targets(
    a: ConfidenceTable,
    b: ConfidenceTable,
    *,
    statistics: Sequence[TargetStatistic] = (AUC, BRIER),
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure a - b for every target; both meet the same resamples of the test queries, and so do all targets.

    Args:
        a: the first router's table.
        b: the second router's table, over the same test queries and targets, with rows in any order.
        statistics: what is measured.
        num_resamples: bootstrap resamples; 0 gives no intervals.
        seed: seed of the bootstrap.

    Returns:
        `num_queries`, and per target and statistic `a`, `b`, `difference` and `intervals` (95 %, of the difference). A
        value is None where either is undefined.

    Raises:
        UserError: test queries, targets or outcomes differ.

    Example:
        >>> ids, split, nan = np.array(["a", "b"], dtype=object), np.array(["test", "test"], dtype=object), np.nan
        >>> correct, cost = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([[1.0, 2.0], [1.0, 2.0]])
        >>> good = ConfidenceTable(ids, split, ids, ("small", "large"), correct, cost, cost, correct)
        >>> poor = ConfidenceTable(ids, split, ids, ("small", "large"), 0.5 + 0 * correct, cost, cost, correct)
        >>> compare_targets(good, poor, num_resamples=0)["difference"]["small"]
        {'auc': 0.5, 'brier': -0.25}
    """
    check_counts(num_resamples, GRID_SIZE)
    b = _aligned(a, b)
    contests = [Contest.prepare(table, GRID_SIZE, None) for table in (a, b)]
    values, difference, resampled = _paired(contests, statistics, num_resamples, seed)
    centred = {each.key for each in statistics if each.centred}

    def of_targets(found: dict[str, np.ndarray]) -> dict[str, dict[str, Any]]:
        return {
            target: {key: value[0, number] for key, value in found.items()}
            for number, target in enumerate(a.targets)
        }

    return plain(
        {
            "num_queries": len(a.part("test")),
            "a": of_targets(values[0]),
            "b": of_targets(values[1]),
            "difference": of_targets(difference),
            "intervals": {
                target: {
                    key: interval(
                        samples[:, number],
                        centre=float(difference[key][0, number]) if key in centred else None,
                    )
                    for key, samples in resampled.items()
                }
                for number, target in enumerate(a.targets)
            },
        }
    )


def _paired(
    contests: Sequence[Contest], statistics: Sequence[Statistic[RouterView]], num_resamples: int, seed: int
) -> tuple[list[dict[str, np.ndarray]], dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Both routers' values (1, ...) by key, their differences (1, ...), and the resampled differences (B, ...)."""
    num_queries = len(contests[0].router.table)
    values: list[dict[str, np.ndarray]] = []
    for contest in contests:
        view = contest.under(np.ones((1, num_queries))).router
        values.append({statistic.key: view[statistic] for statistic in statistics})
    difference = {key: _difference(values[0][key], values[1][key]) for key in values[0]}
    chunks: dict[str, list[np.ndarray]] = {}
    chunk = chunk_size(max(len(contest.router.frontier.query) for contest in contests))
    for weights in resample_weights(num_queries, num_resamples, seed, chunk):
        first, second = (contest.under(weights).router for contest in contests)
        for statistic in statistics:
            chunks.setdefault(statistic.key, []).append(_difference(first[statistic], second[statistic]))
    return values, difference, {key: np.concatenate(parts) for key, parts in chunks.items()}


def _difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a - b; NaN where both are infinite (neither router ever gets there)."""
    with np.errstate(invalid="ignore"):
        return a - b


def _aligned(a: ConfidenceTable, b: ConfidenceTable) -> ConfidenceTable:
    """Bring the test rows of `b` into the order of `a`; its other rows follow unchanged."""
    if a.targets != b.targets:
        raise UserError(
            f"targets of the second table: expected {', '.join(a.targets)}, found {', '.join(b.targets)}"
        )
    wanted = a.query_id[a.split == "test"]
    there = np.flatnonzero(b.split == "test")
    place = pd.Series(there, index=b.query_id[there]).reindex(wanted)
    if place.isna().any():
        raise UserError(
            f"the second table: expected the same test queries, found no '{place.index[place.isna()][0]}'"
        )
    if len(there) != len(wanted):
        raise UserError(f"the second table: expected the same {len(wanted)} test queries, found {len(there)}")
    rows = place.to_numpy(dtype=np.int64)
    same = np.isclose(a.correct[a.split == "test"], b.correct[rows], rtol=0, atol=0, equal_nan=True)
    if not same.all():
        query, target = np.argwhere(~same)[0]
        raise UserError(
            f"outcome of query '{wanted[query]}', target '{a.targets[target]}': expected the same in both tables, "
            "found two different ones"
        )
    return b.select(np.concatenate([np.flatnonzero(b.split != "test"), rows]))
