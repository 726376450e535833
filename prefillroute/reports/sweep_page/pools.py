"""Runs whose curves can share a figure: the same targets, priced and split in the same way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from prefillroute.reports.headline import number
from prefillroute.reports.numbers import count
from prefillroute.reports.sweep_jobs import Job

DECIDING = ("pool", "cost", "split")
"""Config groups that decide what a run is measured on."""


@dataclass(frozen=True)
class Pool:
    """Finished runs that are measured on the same targets."""

    name: str
    """What tells it from the sweep's other pools; empty if there is only one."""
    targets: tuple[str, ...]
    members: tuple[int, ...]
    """Positions of its runs among the finished jobs."""


def deciding_keys(varied: Sequence[str]) -> list[str]:
    """The varied keys by which runs fall into pools.

    Example:
        >>> deciding_keys(["head", "pool", "cost.gpus", "pooling", "seed"])
        ['pool', 'cost.gpus']
    """
    return [key for key in varied if key.partition(".")[0] in DECIDING]


def pools_of(finished: Sequence[Job], varied: Sequence[str]) -> list[Pool]:
    """Divide finished jobs into pools, in the order of their first runs.

    Runs with other numbers of test queries are apart as well, whatever made their test parts differ.
    """
    deciding = deciding_keys(varied)
    found: dict[_Key, list[int]] = {}
    for index, job in enumerate(finished):
        metrics = job.metrics or {}
        said = " ".join(job.overrides[key] for key in deciding if key in job.overrides)
        key = _Key(said, tuple(metrics["targets"]), number(metrics["test"], "num_queries"))
        found.setdefault(key, []).append(index)
    names = _names(list(found)) if len(found) > 1 else [""]
    return [
        Pool(name, key.targets, tuple(members))
        for name, (key, members) in zip(names, found.items(), strict=False)
    ]


class _Key(NamedTuple):
    said: str
    """Values of the deciding keys."""
    targets: tuple[str, ...]
    num_queries: float | None


def _names(keys: Sequence[_Key]) -> list[str]:
    """The values of the deciding keys, with as many further facts as it takes to tell the pools apart."""
    facts = [
        [key.said for key in keys],
        [f"{len(key.targets)} targets" for key in keys],
        [f"{count(key.num_queries)} test queries" for key in keys],
        [f"#{place}" for place in range(1, len(keys) + 1)],
    ]
    names = [""] * len(keys)
    for fact in facts:
        if len(set(names)) < len(names) and len(set(fact)) > 1:
            names = [f"{name} {more}".strip() for name, more in zip(names, fact, strict=True)]
    return names
