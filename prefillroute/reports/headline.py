"""The headline: cards with intervals beside the constant predictor's numbers, and the verdict in words."""

from dataclasses import dataclass
from math import inf
from typing import Any

from prefillroute.reports.catalogue import Metric, catalogued, global_metrics
from prefillroute.reports.numbers import MISSING, NBSP, count, joined
from prefillroute.routing.statistics.hull_gain import HULL_GAIN, HULL_GAIN_OVER_CONSTANT


@dataclass(frozen=True)
class Card:
    """One headline number, ready to print."""

    label: str
    direction: str
    value: str
    interval: str
    beside: str


def number(section: dict[str, Any], key: str) -> float | None:
    """A number in a section of metrics.json; None if it is null or missing, or is not a number."""
    value = section.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def interval(metrics: dict[str, Any], key: str) -> tuple[float, float] | None:
    """The bootstrap interval of a metric, or None; a null end means infinity, which JSON cannot express.

    Only a cost that is never reached is infinite, so a null is always an upper end.
    """
    pair = (metrics.get("intervals") or {}).get(key)
    if not isinstance(pair, list | tuple) or len(pair) != 2 or all(end is None for end in pair):
        return None
    low, high = (inf if end is None else float(end) for end in pair)
    return low, high


def interval_text(metrics: dict[str, Any], metric: Metric, prefix: str = "") -> str:
    """``[low, high]`` in the metric's own format, with its unit written once; a dash if there is no interval."""
    ends = interval(metrics, f"{prefix}{metric.key}")
    if ends is None:
        return MISSING
    low, high = ("∞" if end == inf else metric.form(end) for end in ends)
    number_low, _, unit = low.partition(NBSP)
    if unit:
        return f"[{number_low}, {high.removesuffix(f'{NBSP}{unit}')}]{NBSP}{unit}"
    return f"[{low}, {high}]"


def headline_cards(metrics: dict[str, Any]) -> list[Card]:
    """The cards at the top of the report; a number that is null appears as a dash."""
    cards = []
    for metric in global_metrics("card"):
        constant = number(metrics["test"], metric.constant_key)
        ends = interval_text(metrics, metric)
        cards.append(
            Card(
                label=metric.label,
                direction=metric.direction,
                value=metric.form(number(metrics["test"], metric.key)),
                interval="no interval" if ends == MISSING else ends,
                beside="" if constant is None else f"constant predictor {metric.form(constant)}",
            )
        )
    return cards


def hull_gain_verdict(metrics: dict[str, Any]) -> str:
    """A statement of whether the interval of hull_gain contains the constant predictor's value."""
    metric = catalogued(HULL_GAIN)
    value, constant = (number(metrics["test"], key) for key in (metric.key, metric.constant_key))
    ends = interval(metrics, metric.key)
    if value is None or constant is None or ends is None:
        return (
            "Whether the router beats the constant predictor (each target's training accuracy as its confidence) "
            "cannot be said: hull gain, its interval or the constant predictor's value is missing."
        )
    said = (
        f"Hull gain is {metric.form(value)}, 95{NBSP}% interval {interval_text(metrics, metric)}; "
        f"the constant predictor, which knows nothing of the query but its cost, has {metric.form(constant)}. "
    )
    inside = ends[0] <= constant <= ends[1]
    side = "contains it" if inside else "lies above it" if constant < ends[0] else "lies below it"
    said += f"The interval {side}. "
    paired = catalogued(HULL_GAIN_OVER_CONSTANT)
    difference, difference_ends = number(metrics["test"], paired.key), interval(metrics, paired.key)
    if difference is not None and difference_ends is not None:
        # both routers see the same resamples, so this comparison is sharper, and it decides
        inside = difference_ends[0] <= 0 <= difference_ends[1]
        side = "contains 0" if inside else "lies above 0" if difference_ends[0] > 0 else "lies below 0"
        said += (
            f"Paired over the same resamples, the difference is {paired.form(difference)} "
            f"{interval_text(metrics, paired)}, which {side}: "
        )
    else:
        said += "So "
    if inside:
        return f"{said}on these queries no gain from reading the query is shown."
    if side.startswith("lies above"):
        return f"{said}the router gains from reading the query."
    return f"{said}the router does worse than choosing blindly."


def null_notes(metrics: dict[str, Any]) -> list[tuple[str, str]]:
    """(metric, reason) for every null in metrics.json; a reason that several metrics share is given once."""
    reasons = {str(key): str(text) for key, text in (metrics.get("reasons") or {}).items()}
    for section in ("test", "disagreement"):
        for name, value in (metrics.get(section) or {}).items():
            if value is None:
                reasons.setdefault(f"{section}.{name}", "null, and the run gave no reason")
    by_reason: dict[str, list[str]] = {}
    for key, text in reasons.items():
        section, _, name = key.partition(".")
        if section == "disagreement" and reasons.get(f"test.{name}") == text:
            continue  # what holds for all queries need not be repeated for the subset
        by_reason.setdefault(text, []).append(name if section == "test" else key)
    return [(joined(keys), text) for text, keys in by_reason.items()]


def scope_note(num_queries: int, num_left_out: int, num_targets: int) -> str:
    """A sentence on the queries that the global numbers are based on."""
    left_out = (
        f"; {count(num_left_out)} test {'query' if num_left_out == 1 else 'queries'} "
        "without every target's outcome left out of the global metrics"
        if num_left_out
        else ""
    )
    return (
        f"On {count(num_queries)} test {'query' if num_queries == 1 else 'queries'} x {num_targets} "
        f"target{'s' * (num_targets != 1)}{left_out}. "
        f"Brackets are 95{NBSP}% bootstrap intervals over test queries."
    )
