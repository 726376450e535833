"""Finds the statistics that the modules of this package declare, and says which of them metrics.json holds."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Protocol, TypeVar

import numpy as np

from prefillroute.routing import statistics
from prefillroute.routing.statistics.contract import (
    CONSTANT,
    ContestStatistic,
    PoolStatistic,
    RouterStatistic,
    Statistic,
)
from prefillroute.routing.statistics.view import ContestView, RouterView, View
from prefillroute.variants import modules_of


class Placed(Protocol):
    """Whatever is declared with a position."""

    @property
    def place(self) -> float:
        """Positions rise; equal ones are in the order of their modules."""


Kind = TypeVar("Kind", bound=Placed)


def declared(kind: type[Kind]) -> tuple[Kind, ...]:
    """Whatever the modules of this package declare of one kind, as a global or in a global tuple, in order.

    Example:
        >>> from prefillroute.routing.statistics.contract import TargetStatistic
        >>> [statistic.key for statistic in declared(TargetStatistic)][:4]
        ['auc', 'brier', 'ece', 'log_loss']
    """
    found: dict[int, Kind] = {}
    for module in modules_of(statistics):
        for value in vars(module).values():
            for each in value if isinstance(value, tuple) else (value,):
                if isinstance(each, kind):
                    found[id(each)] = each
    return tuple(sorted(found.values(), key=attrgetter("place")))


@dataclass(frozen=True)
class Column:
    """A global number of metrics.json and its interval: a statistic, and the view that it is read from."""

    key: str
    statistic: Statistic[Any]
    seen: Callable[[ContestView], View]
    judged: Callable[[ContestView], RouterView]
    """The view of the router whose circumstances explain a null."""

    def values(self, view: ContestView) -> np.ndarray:
        """(B,)"""
        return self.seen(view)[self.statistic]

    def adopt(self, view: ContestView, values: np.ndarray) -> None:
        """Take values (B,) that are already known instead of computing them."""
        self.seen(view).adopt(self.statistic, values)

    def reason(self, view: ContestView) -> str:
        """Say why the number is null (B = 1)."""
        return self.statistic.reason(self.judged(view))


def global_columns() -> tuple[Column, ...]:
    """Every global number that has an interval, in the order of metrics.json."""
    pool, router, constant = (attrgetter(name) for name in ("pool", "router", "constant"))
    routers = declared(RouterStatistic)
    columns = (
        *(Column(each.key, each, pool, router) for each in declared(PoolStatistic)),
        *(Column(each.key, each, router, router) for each in routers),
        *(Column(f"{CONSTANT}{each.key}", each, constant, constant) for each in routers),
        *(Column(each.key, each, lambda view: view, router) for each in declared(ContestStatistic)),
    )
    keys = [column.key for column in columns]
    assert len(set(keys)) == len(keys), f"two statistics have one key, among {sorted(keys)}"
    return columns
