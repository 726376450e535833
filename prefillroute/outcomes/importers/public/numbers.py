"""Cells of a public table as numbers: what is none is counted and left out, as its reader cannot mend it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from prefillroute.outcomes.importers.collector import Collector
from prefillroute.outcomes.importers.public.gathered import Where
from prefillroute.outcomes.importers.records.values import BadCellError, correct_of, measure_of, numbers

LARGEST = float(np.finfo(np.float64).max)


def scores(cells: Sequence[Any], column: str, where: Where, collector: Collector) -> np.ndarray:
    """(rows,) float64 in [0, 1]; NaN where a cell is empty or no score, which is counted.

    Args:
        cells: of a column.
        column: its name, for the report.
        where: names a cell's place.
        collector: told what cannot be read.
    """
    return _parsed(
        cells, correct_of, 1.0, f"a score of column {column} that is none", column, where, collector
    )


def measures(cells: Sequence[Any], column: str, where: Where, collector: Collector) -> np.ndarray:
    """(rows,) float64, tokens, seconds or USD; as ``scores``."""
    why = f"a cell of column {column} that is no number (the rest of its row is taken)"
    return _parsed(cells, measure_of, LARGEST, why, column, where, collector)


def _parsed(
    cells: Sequence[Any],
    parse: Callable[[Any], float],
    most: float,
    why: str,
    column: str,
    where: Where,
    collector: Collector,
) -> np.ndarray:
    try:
        return numbers(cells, parse, most)
    except BadCellError:
        values = np.full(len(cells), np.nan)
    for row, cell in enumerate(cells):
        try:
            values[row] = parse(cell)
        except BadCellError as error:
            collector.skip(why, f"{where(row)}: {column}: {error}")
    return values
