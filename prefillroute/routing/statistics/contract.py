"""What a statistic declares: how it is computed, why it may be null, and how it is shown to people.

`declared` finds the statistics of this package; evaluation, comparison, report and the printed table read all they need
from the declarations.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Generic, Literal, TypeVar

import numpy as np

from prefillroute.routing.statistics.reasons import NO_COMPLETE_QUERY, Reason, no_complete_query
from prefillroute.routing.statistics.view import ContestView, PoolView, RouterView
from prefillroute.routing.table import ConfidenceTable

# B = resamples (1 for the sample itself), M = targets

Form = Literal[
    "decimal",
    "signed decimal",
    "percent",
    "percentage points",
    "percentage points without unit",
    "multiple",
    "USD per 1,000",
]
"""How a number is printed; the report knows the formatters."""

Place = Literal["table", "card", "headline", "sweep"]
"""The report's table of its kind (all metrics, or one column per target), the cards on top of the report, the table
that a run prints, and the columns of a sweep's summary."""

CONSTANT = "constant_"
"""Begins the keys of the constant predictor's numbers."""

Seen = TypeVar("Seen")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """How a statistic is shown to people."""

    label: str
    """As in the middle of a sentence; a table of metrics begins it with a capital letter."""
    form: Form
    better: Literal["higher", "lower", ""] = ""
    """Empty where neither is."""
    meaning: str = ""
    place: float = inf
    """Position in every table, rising; those without one come last."""
    on: tuple[Place, ...] = ("table",)
    with_interval: bool = False
    """Whether the table of targets has a column for its interval; the other tables always show intervals."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Statistic(Generic[Seen]):
    """One number of metrics.json.

    Undefined values are NaN, and a cost that is never reached is infinite; evaluation turns both into null with a
    reason.
    """

    key: str
    """Its name in metrics.json."""
    compute: Callable[[Seen], np.ndarray]
    """From what it is computed on to its values (B,). What several statistics need is asked of the view, and another
    statistic's values are `view[STATISTIC]`: both are computed once."""
    place: float = inf
    """Position in metrics.json among the statistics of its class, rising; those without one come last."""
    centred: bool = False
    """Whether resampling biases it, so that its interval is shifted onto the estimate, see `bootstrap.interval`."""
    same_on_disagreement: bool = False
    """Whether it only reads queries on which two targets disagree: where no outcome is missing, its resamples on the
    disagreement subset are those on all queries, and are not computed twice."""
    reasons: tuple[Reason, ...] = (no_complete_query,)
    """Why it may be null, in the order in which they are asked."""
    otherwise: str = NO_COMPLETE_QUERY
    """Why it is null where none of `reasons` applies."""
    shown: Shown | None = None
    """None for a number that only metrics.json holds."""

    def reason(self, view: RouterView) -> str:
        """Say why it is undefined on a router's test rows, seen under one set of weights (B = 1)."""
        return next(filter(None, (explain(view) for explain in self.reasons)), self.otherwise)


class PoolStatistic(Statistic[PoolView]):
    """Of the pool and of choices that need no confidences."""


class RouterStatistic(Statistic[RouterView]):
    """Of a router; metrics.json also holds the constant predictor's, its key prefixed with :data:`CONSTANT`."""


class ContestStatistic(Statistic[ContestView]):
    """Of the router compared with the constant predictor, paired by resample."""


class SelectionStatistic(Statistic[ConfidenceTable]):
    """Of the rows on which lambda is chosen: `compute` takes those rows and returns (1,). It has no interval."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TargetStatistic(Statistic[RouterView]):
    """Of each target, under `targets.<target>.<key>`: `compute` returns (B, M)."""

    why: Callable[[RouterView, int], str] | None = None
    """Says why it is undefined for the target of that index; None where a null needs no reason."""


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """A way to choose a target: a row of the report's table of alternatives to the router."""

    label: str
    accuracy: str
    """Key of its accuracy in metrics.json."""
    cost: str
    """Key of its mean estimated cost (USD per query)."""
    place: float = inf
    names: str = ""
    """Key under which metrics.json names the one target that it stands for; empty if it is not one target."""
    marked: bool = False
    """Whether its row is emphasised."""
