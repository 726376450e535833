"""Rows of a CSV or JSONL file, streamed, with their line numbers; a bad byte or row names file and row."""

import csv
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from prefillroute.errors import UserError

ADVANCE_EVERY = 1000
"""Rows between two reports of progress."""


def read_rows(file: Path, advance: Callable[[int], None]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (row, record); rows are counted from 1 without the header.

    Args:
        file: `.jsonl`/`.ndjson`, anything else is CSV with a header line.
        advance: told how many more bytes were read.

    Raises:
        UserError: for bytes that are not UTF-8, a CSV row with too many or too few cells, a line that is no
            JSON object.
    """
    csv.field_size_limit(sys.maxsize)
    is_jsonl = file.suffix.lower() in (".jsonl", ".ndjson")
    told = 0
    row = 0
    with file.open("rb") as raw:
        lines = _decoded(raw, file, is_jsonl)
        records = _json_records(lines, file) if is_jsonl else _csv_records(lines, file)
        for row, record in records:
            yield row, record
            if row % ADVANCE_EVERY == 0:
                advance(raw.tell() - told)
                told = raw.tell()
        advance(raw.tell() - told)
    if row == 0:
        raise UserError(f"{file}: no rows; expected at least one outcome")


def _decoded(raw: Any, file: Path, is_jsonl: bool) -> Iterator[str]:
    for number, line in enumerate(raw, start=1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            byte = line[error.start]
            raise UserError(
                f"{file}: line {number}: byte 0x{byte:02x} is not UTF-8; expected a UTF-8 file"
            ) from error


def _csv_records(lines: Iterator[str], file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.reader(lines, strict=True)
    try:
        header = next(reader, None)
        if not header:
            raise UserError(f"{file}: empty file; expected a header line and rows")
        for name in header:
            if header.count(name) > 1:
                raise UserError(f"{file}: header has '{name}' {header.count(name)} times; expected once")
        row = 0
        for cells in reader:
            if not cells:
                continue
            row += 1
            if len(cells) != len(header):
                raise UserError(
                    f"{file}: row {row}: {len(cells)} cells; expected {len(header)} as in the header"
                )
            yield row, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise UserError(f"{file}: line {reader.line_num}: {error}; expected CSV") from error


def _json_records(lines: Iterator[str], file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    row = 0
    for line in lines:
        if not line.strip():
            continue
        row += 1
        try:
            record = json.loads(line)
        except ValueError as error:
            raise UserError(f"{file}: row {row}: not JSON ({error}); expected one object per line") from error
        if not isinstance(record, dict):
            raise UserError(f"{file}: row {row}: {type(record).__name__}; expected a JSON object")
        yield row, record
