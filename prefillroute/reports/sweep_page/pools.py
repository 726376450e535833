"""Runs whose curves can share a figure: the same targets, priced and split in the same way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from prefillroute.reports.headline import number
from prefillroute.reports.numbers import count
from prefillroute.reports.sweep_jobs import Job

DECIDING = ("pool", "cost", "split")
"""Config groups that decide what a run is measured on."""
_NEAR = 0.2
"""Test parts of one pool differ in size by at most this share."""


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

    A run with far more or far fewer test queries than a pool's first run is apart, whatever made its test part differ;
    other seeds change the number a little.
    """
    deciding = deciding_keys(varied)
    found: list[tuple[_Key, list[int]]] = []
    for index, job in enumerate(finished):
        metrics = job.metrics or {}
        said = " ".join(job.overrides[key] for key in deciding if key in job.overrides)
        own = _Key(said, tuple(metrics["targets"]), number(metrics["test"], "num_queries") or 0.0)
        members = next((members for key, members in found if own.near(key)), None)
        if members is None:
            found.append((own, [index]))
        else:
            members.append(index)
    names = _names([key for key, _ in found]) if len(found) > 1 else [""] * len(found)
    return [
        Pool(name, key.targets, tuple(members)) for name, (key, members) in zip(names, found, strict=True)
    ]


class _Key(NamedTuple):
    said: str
    """Values of the deciding keys."""
    targets: tuple[str, ...]
    num_queries: float

    def near(self, other: "_Key") -> bool:
        """Whether runs of the two keys can share a figure."""
        return (
            self[:2] == other[:2] and abs(self.num_queries - other.num_queries) <= _NEAR * other.num_queries
        )


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
