"""Cells of a public table as numbers: what is none is counted and left out, as its reader cannot mend it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from prefillroute.outcomes.importers.collector import Collector
from prefillroute.outcomes.importers.public.gathered import COUNTED, Where
from prefillroute.outcomes.importers.records.values import BadCellError, correct_of, measure_of, numbers

LARGEST = float(np.finfo(np.float64).max)


def scores(cells: Sequence[Any], column: str, where: Where, collector: Collector) -> np.ndarray:
    """(rows,) float64 in [0, 1]; NaN where a cell is empty; ``COUNTED`` where it is no score, which is counted.

    Args:
        cells: of a column.
        column: its name, for the report.
        where: names a cell's place.
        collector: told what cannot be read.
    """
    why = f"a score of column {column} that is none"
    return _parsed(cells, correct_of, 1.0, COUNTED, _Counted(why, column, where, collector))


def measures(cells: Sequence[Any], column: str, where: Where, collector: Collector) -> np.ndarray:
    """(rows,) float64, tokens, seconds or USD; NaN where a cell is empty or no number; as ``scores``."""
    why = f"a cell of column {column} that is no number (the rest of its row is taken)"
    return _parsed(cells, measure_of, LARGEST, np.nan, _Counted(why, column, where, collector))


@dataclass(frozen=True)
class _Counted:
    """Counts the cells of a column that cannot be read."""

    why: str
    column: str
    where: Where
    collector: Collector

    def count(self, row: int, error: BadCellError) -> None:
        self.collector.skip(self.why, f"{self.where(row)}: {self.column}: {error}")


def _parsed(
    cells: Sequence[Any], parse: Callable[[Any], float], most: float, bad: float, counted: _Counted
) -> np.ndarray:
    """(rows,) float64; ``bad`` where ``parse`` refuses a cell, and NaN where it is empty."""
    try:
        return numbers(cells, parse, most)
    except BadCellError:
        values = np.full(len(cells), bad)
    for row, cell in enumerate(cells):
        try:
            values[row] = parse(cell)
        except BadCellError as error:
            counted.count(row, error)
    return values
