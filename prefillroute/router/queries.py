"""Reads the queries to route from a text file or a table and checks them before any model is loaded."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prefillroute.errors import UserError
from prefillroute.outcomes.importers.records.read import SUFFIXES, matched, read_chunks, suffix_of
from prefillroute.outcomes.importers.records.source import Source
from prefillroute.outcomes.importers.records.values import BadCellError, checked_text, name_of, text_of
from prefillroute.router.labels import LABELS

log = logging.getLogger(__name__)

TEXT = ".txt"
COLUMNS = {name: name for name in ("prompt", "query_id", *LABELS)}
ENCODING_OPTION = "--encoding "


@dataclass(frozen=True)
class Query:
    """One prompt to be routed. `query_id` comes from the file, or is the prompt's number in it, starting at 0."""

    query_id: str
    prompt: str
    labels: Mapping[str, str] = field(default_factory=dict)
    """Those of `LABELS` that are known."""


@dataclass(frozen=True)
class _Row:
    """A row of the file: its place and its cells."""

    where: str
    prompt: object
    query_id: object = None
    labels: Mapping[str, object] = field(default_factory=dict)


def check_prompt(prompt: object, where: str) -> str:
    """Return `prompt` if it is text that is not blank.

    Raises:
        UserError: `prompt` is not a string, is empty or blank, or is not valid UTF-8; the message begins with `where`.
    """
    if not isinstance(prompt, str):
        raise UserError(f"{where}: prompt: expected text, found {type(prompt).__name__} ({prompt!r:.40})")
    if not prompt.strip():
        raise UserError(f"{where}: expected at least one character that is not blank, found an empty prompt")
    try:
        prompt.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UserError(
            f"{where}: expected UTF-8 text, found something else at character {error.start}"
        ) from error
    return prompt


def read_queries(path: Path, encoding: str | None = None) -> list[Query]:
    """Read a text file (one prompt per line) or a table with the columns `prompt` and optionally `query_id`.

    Tables are read as an import reads them. Blank lines are skipped. Rows with the same id and the same prompt (as in a
    log of several targets) count as one query, and a warning says how many there were.

    Args:
        path: `.txt`, or a table in one of the formats of ``prefillroute import csv``; each may be gzipped.
        encoding: encoding of text without a byte order mark; None means UTF-8.

    Raises:
        UserError: the file cannot be read or has no query, or a prompt is invalid; the message names the row.
    """
    if not path.is_file():
        raise UserError(
            f"{path}: expected a file of queries that ends in {TEXT}, {SUFFIXES}, found no such file"
        )
    source = Source(path, encoding, ENCODING_OPTION)
    rows = list(_lines(source) if suffix_of(path) == TEXT else _records(source))
    if not rows:
        raise UserError(f"{path}: expected at least one query, found none")
    prompts = [_text(row) for row in rows]
    ids = [_query_id(row) for row in rows]
    given = set(ids)
    queries: dict[str, Query] = {}
    for number, (row, query_id, prompt) in enumerate(zip(rows, ids, prompts, strict=True)):
        name = _free(str(number), given) if query_id is None else query_id
        if queries.setdefault(name, Query(name, prompt, _labels(row))).prompt != prompt:
            raise UserError(f"{row.where}: expected one prompt for query_id '{name}', found a second one")
    if len(queries) < len(rows):
        log.warning(
            "%s: %d rows repeat the query_id and prompt of another; each query is routed once, %d in all",
            path, len(rows) - len(queries), len(queries),
        )  # fmt: skip
    return list(queries.values())


def _lines(source: Source) -> Iterator[_Row]:
    with source.text() as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip("\ufeff \t\r\n"):
                yield _Row(f"{source.file}: line {number}", line.rstrip("\r\n"))


def _records(source: Source) -> Iterator[_Row]:
    for chunk in read_chunks(source):
        found = matched(chunk.names, COLUMNS, source.file)
        if "prompt" not in found:
            raise UserError(f"{source.file}: expected a column 'prompt', found {', '.join(chunk.names)}")
        missing = [None] * len(chunk.rows)
        ids = chunk.columns[found["query_id"]] if "query_id" in found else missing
        labels = {name: chunk.columns[found[name]] for name in LABELS if name in found}
        for number, row in enumerate(chunk.rows):
            own = {name: column[number] for name, column in labels.items()}
            yield _Row(f"{source.file}: row {row}", chunk.columns[found["prompt"]][number], ids[number], own)


def _text(row: _Row) -> str:
    try:
        text = checked_text(text_of(row.prompt) or "")
    except BadCellError as error:
        raise UserError(f"{row.where}: prompt: {error}") from error
    return check_prompt(text, row.where)


def _labels(row: _Row) -> dict[str, str]:
    """The labels that are in the file and not blank."""
    known = {}
    for name, cell in row.labels.items():
        try:
            known[name] = checked_text(name_of(cell) or "")
        except BadCellError as error:
            raise UserError(f"{row.where}: {name} {error}") from error
    return {name: text for name, text in known.items() if text.strip()}


def _query_id(row: _Row) -> str | None:
    """The id in the file; None if it is missing or blank."""
    try:
        name = checked_text(name_of(row.query_id) or "")
    except BadCellError as error:
        raise UserError(f"{row.where}: query_id: {error}") from error
    return name if name.strip() else None


def _free(name: str, given: set[str | None]) -> str:
    while name in given:
        name = f"row {name}"
    return name
