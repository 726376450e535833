"""Each metric of metrics.json: its name, its format and which direction is better, all declared by its statistic."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prefillroute.reports import numbers
from prefillroute.routing.statistics.contract import (
    CONSTANT,
    ContestStatistic,
    Form,
    Place,
    PoolStatistic,
    RouterStatistic,
    SelectionStatistic,
    Shown,
    Statistic,
    Strategy,
    TargetStatistic,
)
from prefillroute.routing.statistics.declared import declared

Formatter = Callable[[float | None], str]


@dataclass(frozen=True)
class Metric:
    """One metric as the report shows it."""

    key: str
    words: str
    """Its label as it is written in the middle of a sentence."""
    form: Formatter
    better: str = ""
    """``higher``, ``lower``, or empty if neither is better."""
    meaning: str = ""
    with_interval: bool = False
    """Whether the table of targets shows its interval."""

    @property
    def label(self) -> str:
        """The label with a capital letter, for a heading."""
        return f"{self.words[:1].upper()}{self.words[1:]}"

    @property
    def constant_key(self) -> str:
        """Key of the constant predictor's number."""
        return f"{CONSTANT}{self.key}"

    @property
    def direction(self) -> str:
        """An arrow and a word that say which direction is better, for the label."""
        return {"higher": "↑ better", "lower": "↓ better"}.get(self.better, "")


def _signed(value: float | None) -> str:
    text = numbers.decimal(value)
    return (
        text
        if value is None or text.startswith((numbers.MINUS, numbers.MISSING)) or float(text) == 0
        else f"+{text}"
    )


def _points(value: float | None) -> str:
    text = numbers.points(value)
    return text if text == numbers.MISSING else f"{text}{numbers.NBSP}pp"


def _times(value: float | None) -> str:
    text = numbers.decimal(value, 2)
    return text if text == numbers.MISSING else f"{text}{numbers.NBSP}×"


FORMS: Mapping[Form, Formatter] = {
    "decimal": numbers.decimal,
    "signed decimal": _signed,
    "percent": numbers.percent,
    "percentage points": _points,
    "percentage points without unit": numbers.points,
    "multiple": _times,
    "USD per 1,000": numbers.usd_per_thousand,
}


def global_metrics(on: Place = "table") -> tuple[Metric, ...]:
    """The global metrics that are shown in one place, in the order of that place.

    Accuracies and costs of operating points have their own table; see `strategies`.

    Example:
        >>> [metric.label for metric in global_metrics("card")][:3]
        ['Mean AUC', 'Mean Brier', 'Relative AUC']
    """
    kinds: tuple[type[Statistic[Any]], ...] = (
        PoolStatistic, RouterStatistic, ContestStatistic, SelectionStatistic,
    )  # fmt: skip
    return _shown([statistic for kind in kinds for statistic in declared(kind)], on)


def target_metrics() -> tuple[Metric, ...]:
    """The columns of the table with one row per target."""
    return _shown(declared(TargetStatistic), "table")


def strategies() -> tuple[Strategy, ...]:
    """Ways to choose a target, the router's first."""
    return declared(Strategy)


def catalogued(statistic: Statistic[Any]) -> Metric:
    """The entry of one statistic."""
    assert statistic.shown is not None, f"{statistic.key} is not shown"
    return _metric(statistic.key, statistic.shown)


def _shown(statistics: Sequence[Statistic[Any]], on: Place) -> tuple[Metric, ...]:
    entries = [
        (statistic.key, statistic.shown)
        for statistic in statistics
        if statistic.shown is not None and on in statistic.shown.on
    ]
    return tuple(_metric(key, shown) for key, shown in sorted(entries, key=lambda entry: entry[1].place))


def _metric(key: str, shown: Shown) -> Metric:
    return Metric(key, shown.label, FORMS[shown.form], shown.better, shown.meaning, shown.with_interval)
