"""The report's tables: every metric, each target, the disagreement subset, timings."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from prefillroute.reports.catalogue import METRICS, TARGET_METRICS
from prefillroute.reports.headline import interval_text, number
from prefillroute.reports.numbers import MISSING, count, percent, seconds, usd_per_thousand
from prefillroute.reports.pool_plane import PoolPlane


@dataclass(frozen=True)
class Column:
    """A column's heading, with its unit, and what it means."""

    label: str
    meaning: str = ""
    kind: str = "figure"
    """``figure`` for numbers, ``text`` for sentences that may wrap."""


@dataclass(frozen=True)
class Row:
    """Printed cells; the first is the row's heading."""

    cells: tuple[str, ...]
    marked: bool = False


@dataclass(frozen=True)
class Table:
    """A section of the page that is a table."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    caption: str = ""


def metrics_table(metrics: dict[str, Any]) -> Table:
    """Every global metric with its interval and the constant predictor's value beside it."""
    test = metrics["test"]
    rows = [
        Row(
            (
                f"{metric.label} {metric.direction}".strip(),
                metric.form(number(test, metric.key)),
                interval_text(metrics, metric),
                metric.form(number(test, f"constant_{metric.key}")),
                metric.meaning,
            )
        )
        for metric in METRICS
        if metric.key in test
    ]
    columns = (
        Column("metric"),
        Column("router"),
        Column("95 % interval", "bootstrap over test queries"),
        Column("constant\npredictor", "each target's training accuracy as its confidence"),
        Column("what it is", kind="text"),
    )
    return Table("metrics", "All metrics", columns, tuple(rows))


def targets_table(targets: tuple[str, ...], metrics: dict[str, Any], plane: PoolPlane) -> Table:
    """Each target's scores and what is routed to it, most accurate first; Pareto-optimal targets are bold."""
    scores = metrics["targets"]
    shown = [metric for metric in TARGET_METRICS if any(metric.key in scores[name] for name in targets)]
    accuracy = np.array([number(scores[name], "accuracy") or 0.0 for name in targets])
    rows = []
    for index in np.argsort(-accuracy, kind="stable"):
        values = [metric.form(number(scores[targets[index]], metric.key)) for metric in shown]
        cost = usd_per_thousand(float(plane.cost_usd[index]))
        rows.append(Row((targets[index], *values, cost), marked=bool(plane.pareto[index])))
    columns = [Column(f"{metric.label}\n{metric.direction}".strip(), metric.meaning) for metric in shown]
    cost_column = Column("USD per\n1,000 queries", "mean estimated cost on test queries with every outcome")
    caption = "Most accurate first; bold: on the Pareto front of cost and accuracy."
    return Table("targets", "Targets", (Column("target"), *columns, cost_column), tuple(rows), caption)


def disagreement_table(metrics: dict[str, Any]) -> Table | None:
    """The global metrics on the queries that some targets answer and others do not, beside those on all."""
    subset = metrics.get("disagreement") or {}
    rows = [
        Row(
            (
                f"{metric.label} {metric.direction}".strip(),
                metric.form(number(metrics["test"], metric.key)),
                metric.form(number(subset, metric.key)),
                metric.form(number(subset, f"constant_{metric.key}")),
            )
        )
        for metric in METRICS
        if metric.key in subset
    ]
    if not rows:
        return None
    columns = (
        Column("metric"),
        Column("all test\nqueries"),
        Column("disagreement\nsubset"),
        Column("constant predictor\non the subset"),
    )
    size = number(subset, "num_queries")
    caption = "Queries that at least one target answers correctly and at least one does not"
    caption += (
        f": {count(size)} of {count(number(metrics['test'], 'num_queries'))}." if size is not None else "."
    )
    return Table("disagreement", "Where targets disagree", columns, tuple(rows), caption)


def timings_table(timings: dict[str, Any]) -> Table | None:
    """Wall time per stage, and its share of the sum."""
    flat = {name: float(value) for name, value in timings.items() if isinstance(value, int | float)}
    stages = {name: value for name, value in flat.items() if name != "total"}
    if not stages:
        return None
    whole = flat.get("total") or sum(stages.values())
    rows = [
        Row((name.replace("_", " "), seconds(value), percent(value / whole, 0) if whole else MISSING))
        for name, value in stages.items()
    ]
    if len(stages) > 1:
        rows.append(Row(("total", seconds(whole), ""), marked=True))
    return Table("timings", "Timings", (Column("stage"), Column("wall time"), Column("share")), tuple(rows))
