"""Cells as text and numbers, whatever the file's format made of them; None and an empty cell are missing."""

import math
import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

BOM = "\ufeff"
NUL = "\0"
WORDS = {
    **dict.fromkeys(("true", "t", "yes", "y", "correct", "right", "pass", "passed"), 1.0),
    **dict.fromkeys(("false", "f", "no", "n", "incorrect", "wrong", "fail", "failed"), 0.0),
}
"""What stands for right and wrong."""
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
"""1,234: a thousand or one and a bit? 0,234 and 1,5 can only be decimal commas."""
EXACT = 2.0**53
"""Whole numbers below it are exact as floats."""


class BadCellError(ValueError):
    """A cell that is not what its column holds; says what was expected and found, the caller where."""


def text_of(value: Any) -> str | None:
    """A cell as text: numbers and truth values as JSON writes them (0, 0.5, false), None where it is missing.

    Raises:
        BadCellError: for a list or an object.
    """
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return None if math.isnan(value) else repr(value)
    if isinstance(value, int | Decimal | date):
        return str(value)
    if isinstance(value, bytes):
        try:
            return value.decode() or None
        except UnicodeDecodeError as error:
            raise BadCellError(f"expected text in UTF-8, found {value!r:.40}") from error
    raise BadCellError(f"expected text, found a {type(value).__name__} ({value!r:.40})")


def name_of(value: Any) -> str | None:
    """As ``text_of``; 1.0 is the name 1, as a table with gaps turns whole numbers into such.

    Raises:
        BadCellError: as ``text_of``.
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    return text_of(value)


def texts(column: Sequence[Any], convert: Callable[[Any], str | None]) -> Sequence[str | None]:
    """A column as text; ``convert`` is ``text_of`` or ``name_of``.

    Raises:
        BadCellError: as these.
    """
    kinds = set(map(type, column))
    if kinds == {str}:
        return column
    return [convert(value) for value in column]


def checked_text(text: str) -> str:
    """A text without the byte order marks before it, which files bring that were joined; within it they are text.

    Raises:
        BadCellError: for half a character (a surrogate, as of an emoji cut in two) or a NUL character.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = f"U+{ord(text[error.start]):04X} at character {error.start + 1}"
        raise BadCellError(
            f"expected whole characters, found half of one ({half}, an emoji cut in two?)"
        ) from error
    if NUL in text:
        raise BadCellError(f"expected text, found a NUL character at character {text.index(NUL) + 1}")
    return text.lstrip(BOM)


def numbers(column: Sequence[Any], parse: Callable[[Any], float], most: float) -> np.ndarray:
    """A column as float64 (rows,).

    Args:
        column: cells.
        parse: ``measure_of`` or ``correct_of``; called for the cells of a column in which any is not simply a number.
        most: the greatest number that ``parse`` takes.

    Raises:
        BadCellError: as these.
    """
    simple = _simple_numbers(column, most)
    if simple is not None:
        return simple
    if set(map(type, column)) <= {str, type(None)}:
        parsed = {cell: parse(cell) for cell in set(column)}
        return np.fromiter(map(parsed.__getitem__, column), np.float64, len(column))
    return np.fromiter(map(parse, column), np.float64, len(column))


def _simple_numbers(column: Sequence[Any], most: float) -> np.ndarray | None:
    """The column where every cell is missing or a number from 0 to ``most``, else None."""
    kinds = set(map(type, column))
    try:
        if kinds == {str}:
            num_missing = column.count("")  # a text that says nan is not missing
            filled = (cell or "nan" for cell in column) if num_missing else column
            values = np.fromiter(map(float, filled), np.float64, len(column))
        elif kinds <= {int, float, type(None)}:
            values = np.array(column, dtype=np.float64)
            num_missing = int(np.isnan(values).sum())
        else:
            return None
    except (ValueError, OverflowError):
        return None
    num_good = int(((values >= 0) & (values <= most)).sum())
    return values if num_good + num_missing == len(column) else None


def measure_of(cell: Any) -> float:
    """Tokens, seconds or USD; NaN where missing.

    Raises:
        BadCellError: for what is no finite number from 0 up.
    """
    wanted = "expected a number not below 0, or an empty cell"
    number = _number(cell, wanted)
    if number < 0 or math.isinf(number):
        raise BadCellError(f"{wanted}, found {cell}")
    return number


def correct_of(cell: Any) -> float:
    """A score in [0, 1], a truth value, a word for right or wrong, or a percentage; NaN where missing.

    Raises:
        BadCellError: for anything else.
    """
    wanted = "expected a number in [0, 1], true or false, a percentage such as 50%, or an empty cell"
    if isinstance(cell, bool):
        return float(cell)
    if isinstance(cell, str):
        word = cell.strip().lower()
        if word in WORDS:
            return WORDS[word]
        if word.endswith("%"):
            number = _number(word[:-1], wanted, cell) / 100
            if not 0 <= number <= 1:
                raise BadCellError(f"{wanted}, found {cell!r}")
            return number
    number = _number(cell, wanted)
    if not (0 <= number <= 1 or math.isnan(number)):
        raise BadCellError(f"{wanted}, found {cell}")
    return number


def _number(cell: Any, wanted: str, shown: Any = None) -> float:
    """Any number; NaN where the cell is missing, but not of a text that says nan."""
    if cell is None:
        return math.nan
    if isinstance(cell, str):
        text = cell.strip().strip(BOM)
        if not text:
            return math.nan
        if THOUSANDS.fullmatch(text):
            raise BadCellError(f"{wanted}, found {cell!r}; write it without a comma between thousands")
        if text.count(",") == 1 and "." not in text:
            text = text.replace(",", ".")  # a decimal comma
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if math.isnan(number):
            raise BadCellError(f"{wanted}, found {cell if shown is None else shown!r:.60}")
        return number
    if isinstance(cell, bool) or not isinstance(cell, int | float | Decimal):
        raise BadCellError(f"{wanted}, found {cell!r:.60}")
    try:
        return float(cell)
    except OverflowError as error:
        raise BadCellError(f"{wanted}, found {str(cell)[:20]}...") from error
