"""Runs grouped by what was chosen: mean, spread and number of runs of each group."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from prefillroute.reports.catalogue import Metric
from prefillroute.reports.numbers import MISSING
from prefillroute.reports.sweep_jobs import Job
from prefillroute.reports.sweep_page.pools import Pool, deciding_keys

SEED = "seed"


@dataclass(frozen=True)
class Spread:
    """One metric over the runs of a group."""

    mean: float | None
    """None where it is null in every run."""
    deviation: float | None
    """Standard deviation between runs (divisor n - 1); None for fewer than two values."""
    num_values: int
    """Number of runs in which it is not null."""


@dataclass(frozen=True)
class Group:
    """Runs that made the same choices."""

    values: tuple[str, ...]
    """What they chose, one value per key of the grouping."""
    num_runs: int
    spreads: tuple[Spread, ...]
    """One per metric."""


@dataclass(frozen=True)
class Grouping:
    """All finished runs by the values of some keys."""

    title: str
    keys: tuple[str, ...]
    groups: tuple[Group, ...]


def spread(values: Sequence[float]) -> Spread:
    """Mean and standard deviation.

    Example:
        >>> spread([1.0, 2.0, 3.0])
        Spread(mean=2.0, deviation=1.0, num_values=3)
    """
    return Spread(
        mean=fmean(values) if values else None,
        deviation=stdev(values) if len(values) > 1 else None,
        num_values=len(values),
    )


def groupings(
    finished: Sequence[Job], pools: Sequence[Pool], varied: Sequence[str], shown: Sequence[Metric]
) -> list[Grouping]:
    """Every grouping that puts runs together: over seeds first, then by each varied key.

    Numbers of different pools are never averaged: where there are several, each grouping is by pool as well.
    """
    chosen = [key for key in varied if len(pools) == 1 or key not in deciding_keys(varied)]
    wanted = []
    if SEED in chosen:
        wanted.append(("all choices but the seed", tuple(key for key in chosen if key != SEED)))
    wanted += [(key, (key,)) for key in chosen]
    if len(pools) > 1:
        wanted.append(("pool", ()))
    found, seen = [], set()
    for title, keys in wanted:
        groups = _groups(finished, pools, keys, shown)
        if len(groups) < len(finished) and keys not in seen:
            heads = keys if len(pools) == 1 else ("pool", *keys)
            found.append(Grouping(title, heads, tuple(groups)))
            seen.add(keys)
    return found


def _groups(
    finished: Sequence[Job], pools: Sequence[Pool], keys: Sequence[str], shown: Sequence[Metric]
) -> list[Group]:
    """The groups pool by pool, and in the order of their best runs."""
    together: dict[tuple[str, ...], list[Job]] = {}
    for pool in pools:
        name = (pool.name,) if len(pools) > 1 else ()
        for job in (finished[index] for index in pool.members):
            values = (*name, *(job.overrides.get(key, MISSING) for key in keys))
            together.setdefault(values, []).append(job)
    return [
        Group(
            values,
            len(jobs),
            tuple(
                spread([value for job in jobs if (value := job.value(metric.key)) is not None])
                for metric in shown
            ),
        )
        for values, jobs in together.items()
    ]
