"""CSV and TSV: cells between commas, semicolons, tabs or bars, in the file's own header line."""

import csv
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TextIO

from prefillroute.errors import UserError
from prefillroute.outcomes.importers.records.chunk import Chunk
from prefillroute.outcomes.importers.records.source import NoRecordsError, Source

ROWS = 2000
"""In a chunk."""
DELIMITERS = ",;\t|"
EXCEL_HINT = re.compile(r"\ufeff?sep=(.)[\r\n]*", re.IGNORECASE)
"""A first line that Excel writes and reads, which names the delimiter."""
BOM = "\ufeff"


def read_csv(source: Source) -> Iterator[Chunk]:
    """Rows of a file whose cells a comma separates, or a semicolon (Excel where commas are decimal), tab or bar.

    Raises:
        UserError: naming file and row, for a row with too many or too few cells or a quote out of place.
    """
    return _read(source, ",")


def read_tsv(source: Source) -> Iterator[Chunk]:
    """As ``read_csv``, of a file whose name says that tabs separate the cells."""
    return _read(source, "\t")


def _read(source: Source, usual: str) -> Iterator[Chunk]:
    csv.field_size_limit(sys.maxsize)
    with source.text() as stream:
        lines, delimiter = _start(stream, usual)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        header = _header(reader, source)
        named = [index for index, name in enumerate(header) if name]
        read = 0
        while True:
            rows: list[list[str]] = []
            try:
                rows.extend(islice(reader, ROWS))
            except csv.Error as error:  # the rows before it have been added
                raise UserError(f"{source.file}: row {read + len(rows) + 1}: {_said(error)}") from error
            if not rows:
                return
            numbers: Sequence[int] = range(read + 1, read + len(rows) + 1)
            read += len(rows)
            if set(map(len, rows)) != {len(header)} or not all(map(any, rows)):
                numbers, rows = _without_blank(numbers, rows, header, source)
            if rows:
                cells = list(zip(*rows, strict=True))
                yield Chunk(numbers, {header[index]: cells[index] for index in named})
            source.progress()


def _start(stream: TextIO, usual: str) -> tuple[Iterable[str], str]:
    """The lines from the header on, and the delimiter: the usual one where it separates anything in the header."""
    first = next((line for line in stream if line.strip()), "")
    if said := EXCEL_HINT.fullmatch(first):
        return stream, said[1]

    def num_cells(delimiter: str) -> int:
        try:
            cells = next(csv.reader([first], delimiter=delimiter, strict=True), [])
        except csv.Error:
            return 0
        # Half of a quoted cell: this delimiter cuts through it.
        return 0 if any(cell.count('"') % 2 for cell in cells) else len(cells)

    if num_cells(usual) > 1:
        return chain([first], stream), usual
    return chain([first], stream), max((usual, *DELIMITERS), key=num_cells)


def _header(reader: Iterator[list[str]], source: Source) -> list[str]:
    try:
        header = [name.replace(BOM, "") for name in next(reader, [])]
    except csv.Error as error:
        raise UserError(f"{source.file}: header: {_said(error)}") from error
    if not any(name.strip() for name in header):
        raise NoRecordsError(f"{source.file}: expected a header line and rows, found an empty file")
    header = [name if name.strip() else "" for name in header]  # a spreadsheet's empty columns
    for name in header:
        if name and header.count(name) > 1:
            raise UserError(
                f"{source.file}: header: expected '{name}' once, found it {header.count(name)} times"
            )
    return header


def _without_blank(
    numbers: Sequence[int], rows: list[list[str]], header: list[str], source: Source
) -> tuple[list[int], list[list[str]]]:
    """Leave out blank lines and rows of empty cells."""
    kept = [
        (number, row)
        for number, row in zip(numbers, rows, strict=True)
        if any(cell.strip(f"{BOM} \t\r\n") for cell in row)
    ]
    for number, row in kept:
        if len(row) != len(header):
            raise UserError(
                f"{source.file}: row {number}: expected {len(header)} cells as in the header, found {len(row)}; a cell "
                "with the delimiter or a line break in it needs quotes"
            )
    return [number for number, _ in kept], [row for _, row in kept]


def _said(error: csv.Error) -> str:
    if "unexpected end" in str(error):
        return "expected CSV with both quotes, found a cell whose opening quote is never closed"
    return f"expected CSV in which a quote inside a quoted cell is doubled, found a single one ({error})"
