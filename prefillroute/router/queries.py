"""Queries to route: from a text, JSON Lines or parquet file, checked before any model is loaded."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from prefillroute.errors import UserError

SUFFIXES = (".txt", ".jsonl", ".parquet")


@dataclass(frozen=True)
class Query:
    """One prompt to be routed. `query_id` is the file's own, or its number in the file, from 0."""

    query_id: str
    prompt: str


def check_prompt(prompt: object, where: str) -> str:
    """`prompt` itself, when it is text with something in it.

    Raises:
        UserError: it is not a string, is empty or blank, or holds bytes that are not UTF-8; `where` names it.
    """
    if not isinstance(prompt, str):
        raise UserError(f"{where}: prompt is {type(prompt).__name__} ({prompt!r:.40}), wanted text")
    if not prompt.strip():
        raise UserError(f"{where}: empty prompt; wanted at least one character that is not blank")
    try:
        prompt.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UserError(f"{where}: not UTF-8 at character {error.start}; wanted UTF-8 text") from error
    return prompt


def read_queries(path: Path) -> list[Query]:
    """Read ``.txt`` (one prompt a line), or ``.jsonl`` and ``.parquet`` (`prompt`, optional `query_id`).

    Raises:
        UserError: the file cannot be read, has no query, or a prompt is not one; with line or row.
    """
    if path.suffix not in SUFFIXES:
        raise UserError(f"{path}: suffix '{path.suffix}', wanted one of {', '.join(SUFFIXES)}")
    try:
        rows = _parquet_rows(path) if path.suffix == ".parquet" else _line_rows(path)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}; wanted a file of queries") from error
    if not rows:
        raise UserError(f"{path}: no query in it, wanted at least one")
    queries = [Query(str(query_id), check_prompt(prompt, where)) for query_id, prompt, where in rows]
    seen: dict[str, int] = {}
    for row, query in enumerate(queries):
        if (first := seen.setdefault(query.query_id, row)) != row:
            raise UserError(f"{path}: query_id '{query.query_id}' in rows {first} and {row}, wanted once")
    return queries


def _line_rows(path: Path) -> Sequence[tuple[object, object, str]]:
    rows = []
    for number, raw in enumerate(path.read_bytes().splitlines()):
        where = f"{path} line {number + 1}"
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            byte = raw[error.start]
            raise UserError(f"{where}: byte 0x{byte:02x} is not UTF-8; wanted a UTF-8 file") from error
        if path.suffix == ".txt":
            rows.append((number, line, where))
            continue
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise UserError(
                f'{where}: not JSON ({error}); wanted {{"prompt": "..."}} on every line'
            ) from error
        if not isinstance(entry, dict) or "prompt" not in entry:
            found = ", ".join(entry) if isinstance(entry, dict) else type(entry).__name__
            raise UserError(f"{where}: no key 'prompt', found {found or 'nothing'}")
        rows.append((entry.get("query_id", number), entry["prompt"], where))
    return rows


def _parquet_rows(path: Path) -> Sequence[tuple[object, object, str]]:
    try:
        file = pq.ParquetFile(path)
        names = file.schema_arrow.names
        if "prompt" not in names:
            raise UserError(f"{path}: no column 'prompt', found {', '.join(names)}")
        table = file.read(columns=[name for name in ("query_id", "prompt") if name in names])
    except pa.ArrowException as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path}: not a whole parquet file ({reason}); write it again") from error
    prompts = table.column("prompt").to_pylist()
    ids = table.column("query_id").to_pylist() if "query_id" in table.column_names else range(len(prompts))
    return [
        (query_id, prompt, f"{path} row {row}")
        for row, (query_id, prompt) in enumerate(zip(ids, prompts, strict=True))
    ]
