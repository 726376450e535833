"""Queries to route: from a text file or a table of records, checked before any model is loaded."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prefillroute.errors import UserError
from prefillroute.outcomes.importers.records.read import SUFFIXES, matched, read_chunks, suffix_of
from prefillroute.outcomes.importers.records.source import Source
from prefillroute.outcomes.importers.records.values import BadCellError, checked_text, name_of, text_of

log = logging.getLogger(__name__)

TEXT = ".txt"
COLUMNS = {"prompt": "prompt", "query_id": "query_id"}
ENCODING_OPTION = "--encoding "


@dataclass(frozen=True)
class Query:
    """One prompt to be routed. `query_id` is the file's own, or its number in the file, from 0."""

    query_id: str
    prompt: str


@dataclass(frozen=True)
class _Row:
    """A row of the file: where it is, and its cells."""

    where: str
    prompt: object
    query_id: object = None


def check_prompt(prompt: object, where: str) -> str:
    """`prompt` itself, when it is text with something in it.

    Raises:
        UserError: it is not a string, is empty or blank, or holds bytes that are not UTF-8; `where` names it.
    """
    if not isinstance(prompt, str):
        raise UserError(f"{where}: prompt is {type(prompt).__name__} ({prompt!r:.40}); expected text")
    if not prompt.strip():
        raise UserError(f"{where}: empty prompt; expected at least one character that is not blank")
    try:
        prompt.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UserError(f"{where}: not UTF-8 at character {error.start}; expected UTF-8 text") from error
    return prompt


def read_queries(path: Path, encoding: str | None = None) -> list[Query]:
    """Read a text file (one prompt a line) or a table with `prompt` and, if known, `query_id`, as an import reads it.

    Blank lines are passed over. Rows of one query (one id, one prompt: a log of several targets) are one query, and a
    warning says how many there were.

    Args:
        path: `.txt`, or a table in one of the formats of ``prefillroute import csv``; each may be gzipped.
        encoding: of text without a byte order mark; null is UTF-8.

    Raises:
        UserError: the file cannot be read, has no query, or a prompt is not one; with its row.
    """
    if not path.is_file():
        raise UserError(f"{path}: No such file; expected a file of queries that ends in {TEXT}, {SUFFIXES}")
    source = Source(path, encoding, ENCODING_OPTION)
    rows = list(_lines(source) if suffix_of(path) == TEXT else _records(source))
    if not rows:
        raise UserError(f"{path}: no query in it; expected at least one")
    prompts = [_text(row) for row in rows]
    ids = [_query_id(row) for row in rows]
    given = set(ids)
    queries: dict[str, Query] = {}
    for number, (row, query_id, prompt) in enumerate(zip(rows, ids, prompts, strict=True)):
        name = _free(str(number), given) if query_id is None else query_id
        if queries.setdefault(name, Query(name, prompt)).prompt != prompt:
            raise UserError(f"{row.where}: second prompt under query_id '{name}'; expected one")
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
            raise UserError(
                f"{source.file}: no column 'prompt'; found {', '.join(chunk.names)}, expected prompt"
            )
        missing = [None] * len(chunk.rows)
        ids = chunk.columns[found["query_id"]] if "query_id" in found else missing
        for row, prompt, query_id in zip(chunk.rows, chunk.columns[found["prompt"]], ids, strict=True):
            yield _Row(f"{source.file}: row {row}", prompt, query_id)


def _text(row: _Row) -> str:
    try:
        text = checked_text(text_of(row.prompt) or "")
    except BadCellError as error:
        raise UserError(f"{row.where}: prompt {error}") from error
    return check_prompt(text, row.where)


def _query_id(row: _Row) -> str | None:
    """None where the file has none, or a blank one."""
    try:
        name = checked_text(name_of(row.query_id) or "")
    except BadCellError as error:
        raise UserError(f"{row.where}: query_id {error}") from error
    return name if name.strip() else None


def _free(name: str, given: set[str | None]) -> str:
    while name in given:
        name = f"row {name}"
    return name
