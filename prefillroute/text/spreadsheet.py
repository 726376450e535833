"""Writes CSV that is safe to open in a spreadsheet: a cell that looks like a formula stays text."""

import re

import pandas as pd

from prefillroute.text.visible import visible

_FORMULA = re.compile(r"[=+\-@＝＋－＠]")
"""First characters that make a cell a formula (OWASP, "CSV Injection"); tabs and line breaks are escaped anyway."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def csv_text(frame: pd.DataFrame) -> str:
    """Write a table as CSV without its index; numbers stay numbers.

    >>> print(csv_text(pd.DataFrame({"name": ["=1+1", "-0.5", "o3[high]"], "gain": [-0.5, 1.0, 2.0]})))
    name,gain
    '=1+1,-0.5
    -0.5,1.0
    o3[high],2.0
    <BLANKLINE>
    """
    safe = frame.map(lambda cell: _defused(cell) if isinstance(cell, str) else cell)
    safe.columns = pd.Index([_defused(str(name)) for name in frame.columns])
    return safe.to_csv(index=False)


def _defused(text: str) -> str:
    """The text as one line; a formula gets an apostrophe in front, so that a spreadsheet shows it as text."""
    # pandas does not quote a lone carriage return, so the text after it would become a row of its own.
    text = visible(text)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text
