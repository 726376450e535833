"""Names that a person may have meant to be one: they differ in case or blanks, or as 1 and 1.0 do."""

import re
import unicodedata
from collections.abc import Iterable

SHOWN = 5
"""Groups that are named; the others are counted."""
WHOLE = re.compile(r"([+-]?\d+)\.0+")


def look_alikes(names: Iterable[str]) -> list[list[str]]:
    """Names that differ in case, blanks, the composition of accents, or a number's `.0` only; groups of two or more."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(_key(name), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def whole(name: str) -> str:
    """`1` of `1.0`; other names as they are."""
    match = WHOLE.fullmatch(name) if ".0" in name else None
    return match[1] if match else name


def spelling_note(what: str, names: Iterable[str]) -> str | None:
    """One line about look-alikes that stay apart, else None.

    Args:
        what: the names are, in the plural: targets, query ids.
        names: each once.
    """
    groups = look_alikes(names)
    if not groups:
        return None
    shown = "; ".join(
        f"{' and '.join(map(repr, group))} differ only {_how(group)}" for group in groups[:SHOWN]
    )
    more = f"; and {len(groups) - SHOWN:,} more" if len(groups) > SHOWN else ""
    return f"{what} {shown}{more}: they are kept apart; expected one spelling where one is meant"


def _key(name: str) -> str:
    plain = whole(" ".join(name.split()))
    return plain.lower() if plain.isascii() else unicodedata.normalize("NFC", plain).casefold()


def _how(group: list[str]) -> str:
    if len({" ".join(name.split()) for name in group}) == 1:
        return "by blanks"
    if len({whole(name) for name in group}) == 1:
        return "as numbers are written"
    if len({name.casefold() for name in group}) == 1:
        return "by case"
    return "by case, blanks or accents"
