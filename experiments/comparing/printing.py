"""Comparisons on the terminal."""

from collections.abc import Sequence

from rich.table import Table

from experiments.comparing.pool import PoolComparison, difference_text
from prefillroute.reports.catalogue import Metric
from prefillroute.reports.headline import interval_text, number
from prefillroute.reports.numbers import MISSING
from prefillroute.text.screen import Screen


def values_rows(found: PoolComparison, shown: Sequence[Metric]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Router, and for each metric its value and interval."""
    rows = []
    for router, metrics in found.metrics.items():
        ends = [interval_text(metrics, metric) for metric in shown]
        values = [metric.form(number(metrics["test"], metric.key)) for metric in shown]
        cells = [(v, "" if e == MISSING else e) for v, e in zip(values, ends, strict=True)]
        rows.append((router, cells))
    return rows


def difference_rows(
    found: PoolComparison, shown: Sequence[Metric]
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Router, and for each metric the paired difference and its interval."""
    return [
        (router, [difference_text(differences[metric.key], metric) for metric in shown])
        for router, differences in found.differences.items()
    ]


def values_title(found: PoolComparison) -> str:
    """Over the table of values."""
    return f"{found.pool}: values [95 % interval]"


def differences_title(found: PoolComparison) -> str:
    """Over the table of differences."""
    return f"{found.pool}: {found.reference} minus the other, paired [95 % interval]; * excludes 0"


def print_comparison(found: PoolComparison, shown: Sequence[Metric], screen: Screen | None = None) -> None:
    """Two tables: values with intervals, and paired differences from the reference."""
    screen = screen or Screen(columns=250)
    tables = [(values_title(found), values_rows(found, shown))]
    tables += [(differences_title(found), difference_rows(found, shown))]
    for title, rows in tables:
        if not rows:
            continue
        table = Table(title=title, title_justify="left")
        table.add_column("router", overflow="fold")
        for metric in shown:
            table.add_column(screen.lines(metric.label, metric.direction), justify="right")
        for router, cells in rows:
            table.add_row(router, *(screen.lines(*filter(None, pair)) for pair in cells))
        screen.table(table)
