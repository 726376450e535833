"""The report's tables: the metrics, the targets, the disagreement subset and the timings."""

from dataclasses import dataclass
from typing import Any

from prefillroute.reports.catalogue import Metric, global_metrics, strategies, target_metrics
from prefillroute.reports.headline import interval_text, number
from prefillroute.reports.numbers import MISSING, NBSP, count, percent, seconds, usd_per_thousand
from prefillroute.routing.statistics.of_targets import ACCURACY
from prefillroute.text.visible import visible


@dataclass(frozen=True)
class Column:
    """A column's heading, with its unit, and what it means."""

    label: str
    meaning: str = ""
    kind: str = "figure"
    """``figure`` for numbers, ``text`` for sentences that may wrap."""


@dataclass(frozen=True)
class Row:
    """A row of printed cells; the first is the row's heading."""

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
                metric.form(number(test, metric.constant_key)),
                metric.meaning,
            )
        )
        for metric in global_metrics()
        if metric.key in test
    ]
    columns = (
        Column("metric"),
        Column("router"),
        Column(f"95{NBSP}% interval", "bootstrap over test queries"),
        Column("constant\npredictor", "each target's training accuracy as its confidence"),
        Column("what it is", kind="text"),
    )
    return Table("metrics", "All metrics", columns, tuple(rows))


def strategies_table(metrics: dict[str, Any]) -> Table:
    """What each way of choosing a target costs and how often it is right; a strategy with a fixed target names it."""
    test = metrics["test"]
    rows = []
    for strategy in strategies():
        if number(test, strategy.accuracy) is None:
            continue
        named = test.get(strategy.names)
        accuracy = Metric(strategy.accuracy, "", percent)
        cost = Metric(strategy.cost, "", usd_per_thousand)
        rows.append(
            Row(
                (
                    f"{strategy.label} ({visible(str(named))})" if named else strategy.label,
                    accuracy.form(number(test, accuracy.key)),
                    interval_text(metrics, accuracy),
                    cost.form(number(test, cost.key)),
                    interval_text(metrics, cost),
                ),
                marked=strategy.marked,
            )
        )
    columns = (
        Column("choice"),
        Column("accuracy"),
        Column(f"95{NBSP}% interval"),
        Column("USD per\n1,000 queries", "mean estimated cost"),
        Column(f"95{NBSP}% interval"),
    )
    return Table("strategies", "The router and its alternatives", columns, tuple(rows))


def targets_table(targets: tuple[str, ...], metrics: dict[str, Any]) -> Table:
    """Each target's scores and what is routed to it, most accurate first."""
    scores = metrics["targets"]
    shown = [metric for metric in target_metrics() if any(metric.key in scores[name] for name in targets)]
    order = sorted(targets, key=lambda name: -(number(scores[name], ACCURACY.key) or 0.0))
    rows = []
    for name in order:
        cells = [visible(name)]
        for metric in shown:
            cells.append(metric.form(number(scores[name], metric.key)))
            if metric.with_interval:
                cells.append(interval_text(metrics, metric, f"targets.{name}."))
        rows.append(Row(tuple(cells)))
    columns = [Column("target")]
    for metric in shown:
        columns.append(Column(f"{metric.words} {metric.direction[:1]}".strip(), metric.meaning))
        if metric.with_interval:
            columns.append(Column("95\u00a0%\ninterval", "bootstrap interval over test queries"))
    caption = "All test rows with an outcome, most accurate target first; arrows point to the better side."
    return Table("targets", "Targets", tuple(columns), tuple(rows), caption)


def disagreement_table(metrics: dict[str, Any]) -> Table | None:
    """The global metrics on the queries that some targets answer rightly and others do not, beside those on all."""
    subset = metrics.get("disagreement") or {}
    rows = [
        Row(
            (
                f"{metric.label} {metric.direction}".strip(),
                metric.form(number(metrics["test"], metric.key)),
                metric.form(number(subset, metric.key)),
                interval_text(metrics, metric, "disagreement."),
                metric.form(number(subset, metric.constant_key)),
            )
        )
        for metric in global_metrics()
        if metric.key in subset
    ]
    if not rows:
        return None
    columns = (
        Column("metric"),
        Column("all test\nqueries"),
        Column("disagreement\nsubset"),
        Column(f"subset,\n95{NBSP}% interval"),
        Column("subset, constant\npredictor"),
    )
    size, whole = number(subset, "num_queries"), number(metrics["test"], "num_queries")
    caption = "Queries that at least one target answers correctly and at least one does not"
    caption += "." if size is None else f": {count(size)} of {count(whole)}."
    return Table("disagreement", "Where targets disagree", columns, tuple(rows), caption)


def timings_table(timings: dict[str, Any]) -> Table | None:
    """The wall time of each stage, and its share of the total."""
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
