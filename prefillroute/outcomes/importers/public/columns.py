"""Rows of a table in any format, only the columns that are asked for, and fields of objects under dotted names."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from prefillroute.errors import UserError
from prefillroute.outcomes.importers.contract import Advance
from prefillroute.outcomes.importers.public.pickled import SUFFIXES, read_frame
from prefillroute.outcomes.importers.records.chunk import Chunk
from prefillroute.outcomes.importers.records.parquet import read_leaves
from prefillroute.outcomes.importers.records.read import read_chunks, suffix_of
from prefillroute.outcomes.importers.records.source import NoRecordsError, Source

ROWS = 5000
"""Of a pickled table, in a chunk."""

Choose = Callable[[Sequence[str]], Collection[str]]
"""The columns that are wanted among those that there are; raises a UserError where one is missing."""


def read_columns(file: Path, choose: Choose, advance: Advance, trust_pickle: bool = False) -> Iterator[Chunk]:
    """Yield rows; a field of an object (JSON) or of a struct (Parquet) is a column `object.field`.

    Args:
        file: CSV, TSV, JSONL, JSON or Parquet, each also gzipped, or a pickled pandas table.
        choose: asked once per file, or once per chunk for JSON, where a key may come late.
        advance: told of the progress.
        trust_pickle: whether a pickle may be opened at all.

    Raises:
        UserError: for a pickle that is not trusted, a damaged file, or as ``choose``.
    """
    suffix = suffix_of(file)
    if suffix in SUFFIXES:
        if not trust_pickle:
            raise UserError(
                f"{file}: expected a file that cannot run a program, found a pickle; if you trust its owners, say "
                "--trust-pickle (it is then read by an unpickler that admits nothing but a pandas table)"
            )
        yield from _frame_chunks(read_frame(file), file, choose)
        advance(file.stat().st_size)
    elif suffix in (".parquet", ".pq"):
        yield from _leaf_chunks(Source(file, advance=advance), choose)
    else:
        for chunk in read_chunks(Source(file, advance=advance)):
            flat = _flattened(chunk.columns)
            names = choose(list(flat))
            missing = [None] * len(chunk.rows)
            yield Chunk(chunk.rows, {name: flat.get(name, missing) for name in names})


def _frame_chunks(frame: pd.DataFrame, file: Path, choose: Choose) -> Iterator[Chunk]:
    chosen = frame[list(choose([str(name) for name in frame.columns]))]
    if chosen.empty:
        raise NoRecordsError(f"{file}: expected at least one row, found none")
    for start in range(0, len(chosen), ROWS):
        part = chosen.iloc[start : start + ROWS]
        columns = {str(name): _cells(part[name]) for name in part.columns}
        yield Chunk(range(start + 1, start + len(part) + 1), columns)


def _cells(column: pd.Series) -> list[Any]:
    """Python values; cells of NumPy's kinds become Python's, NaN and NA None."""
    cells = column.astype(object).where(column.notna(), None).tolist()
    return [cell.item() if type(cell).__module__ == np.__name__ else cell for cell in cells]


def _leaf_chunks(source: Source, choose: Choose) -> Iterator[Chunk]:
    read = 0
    for batch in read_leaves(source, choose):
        table = pa.Table.from_batches([batch])
        while any(pa.types.is_struct(kind) for kind in table.schema.types):
            table = table.flatten()
        columns = {name: _values(table.column(name)) for name in table.column_names}
        yield Chunk(range(read + 1, read + batch.num_rows + 1), columns)
        read += batch.num_rows
    if read == 0:
        raise NoRecordsError(f"{source.file}: expected at least one row, found none")


def _values(column: pa.ChunkedArray) -> list[Any]:
    kind = column.type
    if pa.types.is_floating(kind):
        return column.to_numpy().tolist()
    if pa.types.is_integer(kind) and not column.null_count:
        return column.to_numpy().tolist()
    return column.to_pylist()


def _flattened(columns: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    """Columns of objects are followed by one for each of their fields."""
    flat: dict[str, Sequence[Any]] = {}
    for name, cells in columns.items():
        flat[name] = cells
        if dict not in set(map(type, cells)):
            continue
        objects = [cell if type(cell) is dict else {} for cell in cells]
        fields = dict.fromkeys(key for cell in objects for key in cell)
        inner = {key: [cell.get(key) for cell in objects] for key in fields}
        flat |= {f"{name}.{key}": found for key, found in _flattened(inner).items()}
    return flat
