"""CSV that people open in a spreadsheet: a cell that would be taken for a formula is text there too."""

import re

import pandas as pd

from prefillroute.text.visible import visible

_FORMULA = re.compile(r"[=+\-@＝＋－＠]")
"""First signs that make a formula of a cell (OWASP, "CSV Injection"); its tab and line breaks come as escapes."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def csv_text(frame: pd.DataFrame) -> str:
    """The table as CSV without its index; numbers stay numbers.

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
    """One line, with an apostrophe before what would be a formula: a spreadsheet shows what follows it."""
    # pandas leaves a lone carriage return without quotes, and what follows it would be a row of its own.
    text = visible(text)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text
