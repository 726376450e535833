"""A table of a study, for people as Markdown, LaTeX and HTML, and for programs as CSV."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from prefillroute.files import write_text
from prefillroute.reports.numbers import MINUS, MISSING, NBSP
from prefillroute.text.spreadsheet import csv_text
from prefillroute.text.visible import visible

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", MINUS: "$-$", MISSING: "--", NBSP: "~", "λ": r"$\lambda$",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "×": r"$\times$",
}  # fmt: skip
_MARKDOWN = re.compile(r"([\\`*_{}<>|])")


@dataclass(frozen=True)
class Cell:
    """What one place of a table says."""

    text: str
    best: bool = False
    """Whether it stands out: the best of its row or column."""


@dataclass(frozen=True)
class Sheet:
    """A table: the cells that people read, and the numbers behind them.

    Example:
        >>> cells = (Cell("a_1"), Cell("0.70", best=True))
        >>> frame = pd.DataFrame({"encoder": ["a_1"], "auc": [0.7012]})
        >>> print(Sheet("auc", "AUC", ("encoder", "AUC"), (cells,), frame).markdown())
        | encoder | AUC |
        | --- | ---: |
        | a\\_1 | **0.70** |
    """

    name: str
    """Stem of its files."""
    title: str
    columns: tuple[str, ...]
    """Headings."""
    rows: tuple[tuple[Cell, ...], ...]
    """One cell for each heading; the first one names the row."""
    frame: pd.DataFrame
    """The numbers, unrounded, in whatever form suits a program."""
    caption: str = ""

    def __post_init__(self) -> None:
        assert all(len(row) == len(self.columns) for row in self.rows), self.name

    def markdown(self) -> str:
        """The table in GitHub's Markdown."""
        ruler = ["---", *("---:" for _ in self.columns[1:])]
        lines = [[_markdown(text) for text in self.columns], ruler]
        lines += [
            [f"**{_markdown(cell.text)}**" if cell.best else _markdown(cell.text) for cell in row]
            for row in self.rows
        ]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def latex(self) -> str:
        """The table as a `tabular`; needs the package booktabs."""
        head = " & ".join(map(_latex, self.columns))
        body = [
            " & ".join(rf"\textbf{{{_latex(cell.text)}}}" if cell.best else _latex(cell.text) for cell in row)
            for row in self.rows
        ]
        lines = [
            rf"\begin{{tabular}}{{l{'r' * (len(self.columns) - 1)}}}",
            r"\toprule",
            rf"{head} \\",
            r"\midrule",
        ]
        return "\n".join([*lines, *(rf"{line} \\" for line in body), r"\bottomrule", r"\end{tabular}"])

    def write(self, folder: Path) -> None:
        """Write ``<name>.csv``, ``<name>.md`` and ``<name>.tex``."""
        for suffix, text in (("csv", csv_text(self.frame)), ("md", self.markdown()), ("tex", self.latex())):
            write_text(folder / f"{self.name}.{suffix}", f"{text.rstrip()}\n")


def mark_best(cells: Sequence[str], values: Sequence[float | None], higher: bool = True) -> tuple[Cell, ...]:
    """Cells of which the one with the best value stands out; of equals the first, and none if all are.

    Args:
        cells: texts.
        values: what they say, unrounded; None or NaN is never the best.
        higher: whether greater values are better.

    Example:
        >>> [cell.best for cell in mark_best(["0.70", "–", "0.71"], [0.7, None, 0.71])]
        [False, False, True]
    """
    known = np.array([np.nan if value is None else value for value in values], dtype=float)
    known = known if higher else -known
    same = np.isnan(known).all() or (len(known) > 1 and np.nanmin(known) == np.nanmax(known))
    best = -1 if same else int(np.nanargmax(known))
    return tuple(Cell(text, index == best) for index, text in enumerate(cells))


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", _one_line(text))


def _latex(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in _one_line(text))


def _one_line(text: str) -> str:
    """The text with a space for each line break, and other invisible characters as escapes."""
    return " ".join(map(visible, text.split("\n")))
