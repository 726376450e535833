"""Numbers as people read them: sensible digits, a true minus sign, and a dash where there is no number."""

from collections.abc import Sequence
from math import floor, isfinite, log10

MISSING = "–"
MINUS = "−"
NBSP = "\u00a0"
"""A space that allows no line break between a number and its unit."""


def decimal(value: float | None, digits: int = 3) -> str:
    """A number with fixed decimals, for scores, areas and AUC. ``None`` and NaN give a dash.

    >>> decimal(0.69712), decimal(-0.0213), decimal(None)
    ('0.697', '−0.021', '–')
    """
    if value is None or not isfinite(value):
        return MISSING
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def percent(value: float | None, digits: int = 1) -> str:
    """A share as a percentage, with the non-breaking space that the SI prescribes."""
    if value is None or not isfinite(value):
        return MISSING
    return f"{decimal(100 * value, digits)}{NBSP}%"


def points(value: float | None, digits: int = 2) -> str:
    """A difference of two shares in percentage points, always signed: ``+1.30``."""
    if value is None or not isfinite(value):
        return MISSING
    text = decimal(100 * value, digits)
    return text if text.startswith(MINUS) or float(text) == 0 else f"+{text}"


def significant(value: float | None, digits: int = 3) -> str:
    """A number with significant digits, grouped thousands and no exponent, for costs, ratios and times.

    >>> significant(0.0004218), significant(1234.5), significant(12.345)
    ('0.000422', '1,230', '12.3')
    """
    if value is None or not isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    places = digits - 1 - floor(log10(abs(value)))
    rounded = round(value, places)
    return f"{rounded:,.{max(places, 0)}f}".replace("-", MINUS)


def usd_per_thousand(value: float | None) -> str:
    """USD per query as USD per 1,000 queries, with three significant digits."""
    return MISSING if value is None else significant(1000 * value)


def count(value: float | None) -> str:
    """A whole number with grouped thousands."""
    return MISSING if value is None or not isfinite(value) else f"{round(value):,}"


def seconds(value: float | None) -> str:
    """A duration in the units in which a person would say it: ``0.42 s``, ``3 min 07 s``, ``2 h 05 min``."""
    if value is None or not isfinite(value):
        return MISSING
    if value < 60:
        return f"{significant(value)} s" if value < 59.95 else "60 s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def joined(names: Sequence[str], most: int = 6) -> str:
    """Names for a sentence: ``a, b and c``; if there are more than ``most``, ``a, b and 31 more``."""
    shown = list(names[:most])
    rest = len(names) - len(shown)
    if rest:
        return f"{', '.join(shown)} and {rest} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)
