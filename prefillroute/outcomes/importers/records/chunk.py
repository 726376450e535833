"""Some rows of a table, column by column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Chunk:
    """Rows that follow each other."""

    rows: Sequence[int]
    """Their numbers in the file from 1: the header line is not counted, blank lines are."""
    columns: Mapping[str, Sequence[Any]]
    """Name as written -> its cells. CSV gives text; JSON and Parquet what they hold; None is missing."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns, in the file's order."""
        return tuple(self.columns)
