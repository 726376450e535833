"""How old the prices are."""

import re
from collections.abc import Iterator
from datetime import date

from prefillroute.outcomes.checks.contract import NOTE, WARNING, Check, Evidence, Finding, some

_MONTH = re.compile(r"\b(20\d\d)-(0[1-9]|1[0-2])(?!\d)")
_HALF = re.compile(r"\b(20\d\d)-?([12])H\b", re.I)
_YEAR = re.compile(r"\b(20\d\d)\b")


def month_of(text: str) -> tuple[int, int] | None:
    """Year and month that a `price_date` names, the last possible one if it is not exact; None if it names none.

    Example:
        >>> month_of("OpenAI list, 2024-05-13"), month_of("Together AI list, 2024-2H"), month_of("made up")
        ((2024, 5), (2024, 12), None)
    """
    if found := _MONTH.search(text):
        return int(found[1]), int(found[2])
    if found := _HALF.search(text):
        return int(found[1]), 6 * int(found[2])
    if found := _YEAR.search(text):
        return int(found[1]), 12
    return None


def age_in_months(month: tuple[int, int], today: date) -> int:
    """Whole months from one month to that of today; negative for the future."""
    return 12 * (today.year - month[0]) + today.month - month[1]


class PriceDates(Check):
    """Prices change within months, and a router learns costs from them."""

    def find(self, pool: Evidence) -> Iterator[Finding]:
        """One line for stale dates, one for dates in the future, one for what is no date."""
        priced = [target for target in pool.targets if target.price_in is not None]
        ages: list[tuple[int, str]] = []
        unread = []
        for target in priced:
            month = month_of(target.price_date or "")
            if month is None:
                unread.append(f"{target.name} ({target.price_date or 'no price_date'})")
            else:
                ages.append((age_in_months(month, pool.today), target.name))
        stale = sorted((age, name) for age, name in ages if age > pool.stale_months)
        if stale:
            oldest, newest = stale[-1], stale[0]
            what = f"{len(stale)} of {len(priced)} prices are older than {pool.stale_months} months"
            what += f": {oldest[1]} {oldest[0]}" + (
                f", ..., {newest[1]} {newest[0]}" if len(stale) > 1 else ""
            )
            yield Finding(
                WARNING,
                "price dates",
                what,
                "look them up and renew price_date, or keep them to compare with old results",
            )
        if coming := [name for age, name in ages if age < 0]:
            yield Finding(WARNING, "price dates", f"in the future: {some(coming)}", "correct price_date")
        if unread:
            what = f"no month in the price_date of {some(unread)}"
            yield Finding(
                NOTE,
                "price dates",
                what,
                "write whose list it is and its month, as in 'OpenAI list, 2026-05'",
            )
