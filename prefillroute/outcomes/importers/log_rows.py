"""Rows of a user's log, gathered column by column: queries once each, outcomes as codes and numbers."""

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np

from prefillroute.errors import UserError
from prefillroute.outcomes.importers.codes import Codes
from prefillroute.outcomes.importers.collector import MEASURED, Collector
from prefillroute.outcomes.importers.log_queries import (
    QUERY_CELLS,
    QUERY_EXTRAS,
    BadQueryError,
    LogQueries,
    needed_text,
)
from prefillroute.outcomes.importers.records.chunk import Chunk
from prefillroute.outcomes.importers.records.values import (
    BadCellError,
    correct_of,
    measure_of,
    name_of,
    numbers,
    text_of,
    texts,
)
from prefillroute.outcomes.importers.repeats import first_repeat, merged
from prefillroute.outcomes.importers.spelling import spelling_note

LARGEST = float(np.finfo(np.float64).max)


@dataclass
class _Place:
    """Where outcomes from a number on come from."""

    start: int
    file: Path


@dataclass
class LogRows:
    """All rows of an import.

    A query's cells are checked once, however many targets answered it.
    """

    _queries: LogQueries = field(default_factory=LogQueries)
    _targets: dict[str, int] = field(default_factory=dict)
    _query: array = field(default_factory=lambda: array("q"))
    _target: array = field(default_factory=lambda: array("q"))
    _row: array = field(default_factory=lambda: array("q"))
    _values: dict[str, array] = field(default_factory=lambda: {name: array("d") for name in MEASURED})
    _places: list[_Place] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._query_codes = Codes(self._queries.add)
        self._target_codes = Codes(self._add_target)

    def take(self, file: Path, chunk: Chunk, found: Mapping[str, str]) -> None:
        """Add a chunk's rows.

        Args:
            file: it is of, for messages.
            chunk: with at least `prompt`, `target` and `correct`, by their names in the file.
            found: our name -> the file's, for the columns that there are.

        Raises:
            UserError: naming file, row and column, for a value that is not what the column holds, or a second
                prompt under one query id.
        """

        def column(name: str, convert: Callable[[Any], str | None]) -> Iterable[str | None]:
            return self._texts(file, chunk, found[name], convert) if name in found else repeat(None)

        cells = [column(name, text_of if name == "prompt" else name_of) for name in QUERY_CELLS]
        has = tuple(name in found for name in QUERY_EXTRAS)
        keys = list(zip(*cells, repeat(has), strict=False))
        targets = list(column("target", name_of))
        query = self._coded(self._query_codes, keys, file, chunk, found)
        target = self._coded(self._target_codes, targets, file, chunk, found)
        self._places.append(_Place(len(self._query), file))
        self._query.extend(query)
        self._target.extend(target)
        self._row.extend(chunk.rows)
        for name, values in self._values.items():
            if name in found:
                values.frombytes(self._numbers(file, chunk, name, found[name]).tobytes())
            else:
                values.frombytes(np.full(len(chunk.rows), np.nan).tobytes())

    def hand_over(self, collector: Collector, repeats: str = "error") -> None:
        """Give everything to the collector, with notes about what a person should know.

        Args:
            collector: where outcomes go.
            repeats: one of ``REPEATS``.

        Raises:
            UserError: for a target's second outcome on a query where ``repeats`` is `error`, or a split that
                some queries have and others lack.
        """
        self._queries.check_split()
        code_of, note = self._queries.merged_numbers()
        notes = [note]
        query = code_of[np.frombuffer(self._query, dtype=np.int64)]
        target = np.frombuffer(self._target, dtype=np.int64)
        values = {name: np.frombuffer(column, dtype=np.float64) for name, column in self._values.items()}
        cells = query * max(len(self._targets), 1) + target
        again = first_repeat(cells)
        if again is not None:
            if repeats == "error":
                raise UserError(self._second_outcome(again, query, target))
            kept, values = merged(cells, values, repeats)
            query, target = query[kept], target[kept]
            if repeats == "mean":
                notes.append(
                    f"{len(cells):,} rows became {len(kept):,} outcomes: means over repeated samples"
                )
            else:
                surplus = len(cells) - len(kept)
                collector.skip("second outcome of a target on a query", self._where(again), surplus)
        queries = self._queries.queries
        collector.add_unique(queries, list(self._targets), query, target, values)
        notes += [
            f"query '{ids[0]}' has {what}; the first is kept ({len(ids):,} times in this log)"
            for what, ids in self._queries.differing.items()
        ]
        kinds = (("query ids", "query_id"), ("benchmarks", "benchmark"), ("categories", "category"))
        for what, key in kinds:
            names = dict.fromkeys(str(queries[code][key]) for code in np.unique(query))
            notes.append(spelling_note(what, names))
        collector.notes += [note for note in notes if note]

    def _second_outcome(self, outcome: int, query: np.ndarray, target: np.ndarray) -> str:
        query_id = self._queries.queries[query[outcome]]["query_id"]
        name = list(self._targets)[target[outcome]]
        return (
            f"{self._where(outcome)}: expected one outcome of target '{name}' on query '{query_id}', found a second; "
            "--repeats mean takes the mean of such samples, --repeats first the first of them"
        )

    def _texts(
        self, file: Path, chunk: Chunk, name: str, convert: Callable[[Any], str | None]
    ) -> Sequence[str | None]:
        cells = chunk.columns[name]
        try:
            return texts(cells, convert)
        except BadCellError as error:
            raise self._refusal(file, chunk, name, convert) from error

    def _numbers(self, file: Path, chunk: Chunk, ours: str, name: str) -> np.ndarray:
        parse, most = (correct_of, 1.0) if ours == "correct" else (measure_of, LARGEST)
        try:
            return numbers(chunk.columns[name], parse, most)
        except BadCellError as error:
            raise self._refusal(file, chunk, name, parse) from error

    def _refusal(self, file: Path, chunk: Chunk, name: str, convert: Callable[[Any], object]) -> UserError:
        """The message for the first cell that ``convert`` refuses."""
        for row, cell in zip(chunk.rows, chunk.columns[name], strict=True):
            try:
                convert(cell)
            except BadCellError as error:
                return UserError(f"{file}: row {row}: {name}: {error}")
        raise AssertionError("no cell of this column is refused")

    def _coded(
        self, codes: Codes, keys: list[Any], file: Path, chunk: Chunk, found: Mapping[str, str]
    ) -> list[int]:
        try:
            return list(map(codes.__getitem__, keys))
        except BadQueryError as error:
            row = next(row for row, key in zip(chunk.rows, keys, strict=True) if key not in codes)
            name, reason = error.args
            raise UserError(f"{file}: row {row}: {found.get(name, name)}: {reason}") from error

    def _add_target(self, name: str | None) -> int:
        name = needed_text("target", name)
        return self._targets.setdefault(name, len(self._targets))

    def _where(self, outcome: int) -> str:
        place = next(place for place in reversed(self._places) if place.start <= outcome)
        return f"{place.file}: row {self._row[outcome]}"
