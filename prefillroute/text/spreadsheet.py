"""CSV that people open in a spreadsheet: a cell that would be taken for a formula is text there too."""

import re

import pandas as pd

_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
"""First characters that make a formula of a cell (OWASP, "CSV Injection")."""
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
    # A half character of a path has no UTF-8.
    return safe.to_csv(index=False).encode("utf-8", "backslashreplace").decode("utf-8")


def _defused(text: str) -> str:
    """With an apostrophe before what would be a formula: a spreadsheet shows what follows it."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text
