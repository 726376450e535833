"""Numbers with intervals as the cells of a table."""

from experiments.comparing.pool import Difference, difference_text
from experiments.paper.measured import Number
from prefillroute.reports.catalogue import Metric
from prefillroute.reports.numbers import MISSING, NBSP


def heading(metric: Metric) -> str:
    """Label and arrow of a metric, such as `Mean Brier ↓`."""
    return f"{metric.label} {metric.direction.partition(' ')[0]}".strip()


def value_text(number: Number, metric: Metric) -> str:
    """Value and interval in the metric's own format, with its unit once: `0.701 [0.690, 0.712]`."""
    value, ends = metric.form(number.value), number.interval
    if ends is None or value == MISSING:
        return value
    bare, _, unit = value.partition(NBSP)
    low, high = (metric.form(end).partition(NBSP)[0] for end in ends)
    return f"{bare} [{low}, {high}]{f'{NBSP}{unit}' if unit else ''}"


def gain_text(number: Number, metric: Metric) -> str:
    """A difference and its interval, with a star where the interval excludes 0: `+0.0123 * [0.0042, 0.0201]`."""
    value, ends = difference_text(Difference(number.value, *(number.interval or (None, None))), metric)
    return f"{value} {ends}".strip()


def columns_of(prefix: str, number: Number) -> dict[str, float | None]:
    """Value and interval for a program."""
    low, high = number.interval or (None, None)
    return {prefix: number.value, f"{prefix}_low": low, f"{prefix}_high": high}
