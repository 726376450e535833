"""JSON: one object a line, or an array of objects. What the file holds decides, not its name."""

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from prefillroute.errors import UserError
from prefillroute.outcomes.importers.records.chunk import Chunk
from prefillroute.outcomes.importers.records.source import NoRecordsError, Source

CHARACTERS = 1 << 20
"""Of the lines that are read at a time."""
ROWS = 1000
"""Of an array, in a chunk."""
BLANK = "\ufeff \t\r\n"
BAD = (ValueError, RecursionError)
"""What the parser raises; the second where brackets are nested thousands deep."""


def read_json(source: Source) -> Iterator[Chunk]:
    """Rows of a JSONL file, or of a file that is an array of objects (which is read whole).

    Raises:
        UserError: naming file and row, for what is no JSON, no object, or an object with a key twice.
    """
    with source.text() as stream:
        blank = 0
        first = ""
        for first in stream:
            if first.strip(BLANK):
                break
            blank += 1
        first = first.lstrip(BLANK)
        if first.startswith("["):
            yield from _array(source, first + stream.read())
            return
        read = blank
        lines = [first] if first else []
        while lines:
            lines += stream.readlines(CHARACTERS)
            numbers = range(read + 1, read + len(lines) + 1)
            read += len(lines)
            if chunk := _chunk(*_records(source, numbers, lines)):
                yield chunk
            source.progress()
            lines = [line] if (line := stream.readline()) else []


def _array(source: Source, text: str) -> Iterator[Chunk]:
    try:
        records = json.loads(text, object_pairs_hook=_object)
    except BAD as error:
        raise NoRecordsError(
            f"{source.file}: expected an array of objects, found no JSON ({_said(error)})"
        ) from error
    for number, record in enumerate(records, start=1):
        _check_object(record, f"{source.file}: row {number}")
    for start in range(0, len(records), ROWS):
        part = records[start : start + ROWS]
        if chunk := _chunk(range(start + 1, start + len(part) + 1), part):
            yield chunk


def _records(
    source: Source, numbers: Sequence[int], lines: list[str]
) -> tuple[Sequence[int], list[dict[str, Any]]]:
    """The lines' objects. Lines are parsed together, which is three times as fast, and one by one where that fails."""
    stripped = [line.strip(BLANK) for line in lines]
    if all(line[:1] == "{" and line[-1:] == "}" for line in stripped):
        try:
            records = json.loads("[" + ",".join(stripped) + "]", object_pairs_hook=_object)
        except BAD:
            records = []
        if len(records) == len(lines):
            return numbers, records
    kept = [(number, line) for number, line in zip(numbers, stripped, strict=True) if line]
    found = []
    for number, line in kept:
        where = f"{source.file}: row {number}"
        try:
            found.append(_check_object(json.loads(line, object_pairs_hook=_object), where))
        except BAD as error:
            if isinstance(error, UserError):
                raise
            kind = NoRecordsError if number == kept[0][0] == 1 else UserError
            raise kind(f"{where}: expected one object per line, found no JSON ({_said(error)})") from error
    return [number for number, _ in kept], found


def _chunk(numbers: Sequence[int], records: list[dict[str, Any]]) -> Chunk | None:
    names = dict.fromkeys(chain.from_iterable(records))
    if not records:
        return None
    return Chunk(numbers, {name: [record.get(name) for record in records] for name in names})


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"key {twice!r} {names.count(twice)} times")
    return record


def _check_object(record: Any, where: str) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise NoRecordsError(f"{where}: expected a JSON object, found {type(record).__name__}")
    return record


def _said(error: BaseException) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())
