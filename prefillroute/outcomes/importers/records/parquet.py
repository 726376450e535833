"""Parquet."""

import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from prefillroute.errors import UserError
from prefillroute.outcomes.importers.records.chunk import Chunk
from prefillroute.outcomes.importers.records.source import Source

ROWS = 5000
"""In a chunk."""


class _Columns(Mapping[str, list[Any]]):
    """A batch whose columns become Python values when they are asked for: long answers may not be."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch

    def __getitem__(self, name: str) -> list[Any]:
        return self._batch.column(name).to_pylist()

    def __iter__(self) -> Iterator[str]:
        return iter(self._batch.schema.names)

    def __len__(self) -> int:
        return self._batch.num_columns


def read_parquet(source: Source) -> Iterator[Chunk]:
    """Rows of a Parquet file.

    Raises:
        UserError: for a file that is cut short or no Parquet, a column given twice, text that is not UTF-8.
    """
    read = 0
    for batch in read_batches(source, lambda file: None):
        yield Chunk(range(read + 1, read + batch.num_rows + 1), _Columns(batch))
        read += batch.num_rows


def read_leaves(
    source: Source, choose: Callable[[Sequence[str]], Collection[str]]
) -> Iterator[pa.RecordBatch]:
    """Only some columns of a Parquet file; the others are not read from the disk.

    Args:
        source: the file.
        choose: given the dotted names of all columns and fields of structs, the names to be read.

    Raises:
        UserError: as ``read_parquet`` and ``choose``.
    """

    def leaves(file: pq.ParquetFile) -> list[str]:
        schema = file.schema
        return list(choose([schema.column(index).path for index in range(len(schema.names))]))

    return read_batches(source, leaves)


def read_batches(
    source: Source, columns: Callable[[pq.ParquetFile], list[str] | None]
) -> Iterator[pa.RecordBatch]:
    """Some thousand rows at a time.

    Args:
        source: the file.
        columns: given the open file, the dotted names of what is to be read; None for everything.

    Raises:
        UserError: as ``read_parquet`` and ``columns``.
    """
    read = 0
    with source.bytes() as stream:
        # Parquet is read from its end; a gzipped one must be unpacked first.
        seekable = io.BytesIO(stream.read()) if source.is_packed else stream
        try:
            with pq.ParquetFile(seekable) as file:
                names = file.schema_arrow.names
                for name in names:
                    if names.count(name) > 1:
                        raise UserError(
                            f"{source.file}: expected a column '{name}' once, found it {names.count(name)} times"
                        )
                for batch in file.iter_batches(ROWS, columns=columns(file)):
                    yield batch
                    read += batch.num_rows
                    source.progress()
        except UnicodeDecodeError as error:
            raise UserError(f"{source.file}: after row {read}: expected UTF-8, found other bytes") from error
        except (pa.ArrowException, OSError) as error:
            reason = " ".join(str(error).split())[:200]
            raise UserError(
                f"{source.file}: expected a whole Parquet file, found a damaged one ({reason}); write or copy it again"
            ) from error
