"""Which files are tables of records, and their rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prefillroute.errors import UserError
from prefillroute.outcomes.importers.records.chunk import Chunk
from prefillroute.outcomes.importers.records.delimited import read_csv, read_tsv
from prefillroute.outcomes.importers.records.json_records import read_json
from prefillroute.outcomes.importers.records.parquet import read_parquet
from prefillroute.outcomes.importers.records.source import NoRecordsError, Source, quiet

GZIPPED = ".gz"
READERS: dict[str, Callable[[Source], Iterator[Chunk]]] = {
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".tab": read_tsv,
    ".jsonl": read_json,
    ".ndjson": read_json,
    ".json": read_json,
    ".parquet": read_parquet,
    ".pq": read_parquet,
}
"""Suffix -> reader; each may be gzipped (`log.csv.gz`), in capital letters too."""
SUFFIXES = f"{', '.join(READERS)} (or one of these with {GZIPPED})"
IGNORED = "__MACOSX"
"""A folder of a Mac's zip files; as hidden files, it is passed over in silence."""
OWN = {"queries.parquet", "outcomes.parquet"}
"""What an outcome folder holds: written by an import, never a log."""


@dataclass
class Found:
    """What a folder holds."""

    files: list[Path] = field(default_factory=list)
    left_out: dict[str, list[Path]] = field(default_factory=dict)
    """Reason -> files."""


def suffix_of(file: Path) -> str:
    """`.csv` of `Log.CSV.gz`: in small letters, without the mark of a gzipped file."""
    return Path(file.name.lower().removesuffix(GZIPPED)).suffix


def find_files(folder: Path) -> Found:
    """The files of a folder and of the folders in it. Hidden ones (`.DS_Store`, `.git`) are passed over.

    Returns:
        Those that ``read_chunks`` can read, in order of their names, and the others with the reason.
    """
    found = Found()
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        parts = file.relative_to(folder).parts
        if any(part.startswith(".") or part == IGNORED for part in parts):
            continue
        if all((file.parent / name).is_file() for name in OWN):
            found.left_out.setdefault("in an outcome folder, which an import wrote", []).append(file)
        elif (suffix := suffix_of(file)) in READERS:
            found.files.append(file)
        else:
            reason = f"expected {SUFFIXES}, found {suffix or 'no suffix'}"
            found.left_out.setdefault(reason, []).append(file)
    return found


def read_chunks(source: Source) -> Iterator[Chunk]:
    """Rows of a file, some thousand at a time.

    Raises:
        UserError: for a suffix that is not known, or as the format's reader; ``NoRecordsError`` without a row.
    """
    suffix = suffix_of(source.file)
    if suffix not in READERS:
        raise NoRecordsError(f"{source.file}: expected one of {SUFFIXES}, found {suffix or 'no suffix'}")
    is_empty = True
    for chunk in READERS[suffix](source):
        is_empty = False
        yield chunk
    if is_empty:
        raise NoRecordsError(f"{source.file}: expected at least one row, found none")


def read_rows(
    file: Path, advance: Callable[[int], None] = quiet, encoding: str | None = None, option: str = ""
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (row, record), for whoever takes records one by one.

    Args:
        file: of a suffix in ``READERS``.
        advance: told how many more bytes were read.
        encoding: of a file without a byte order mark; null is UTF-8.
        option: how a user names the encoding, for messages.

    Raises:
        UserError: as ``read_chunks``.
    """
    for chunk in read_chunks(Source(file, encoding, option, advance)):
        names = chunk.names
        for row, cells in zip(chunk.rows, zip(*chunk.columns.values(), strict=True), strict=True):
            yield row, dict(zip(names, cells, strict=True))


def matched(names: tuple[str, ...], wanted: dict[str, str], where: Path | str) -> dict[str, str]:
    """The file's columns: a wanted name stands for itself, else for one that differs in case or blanks only.

    Args:
        names: of the file's columns.
        wanted: our name -> the name looked for.
        where: file, for the message.

    Returns:
        Our name -> the file's, for those that it has.

    Raises:
        UserError: for two columns that could be meant.
    """
    found = {}
    for ours, theirs in wanted.items():
        alike = [theirs] if theirs in names else [name for name in names if _folded(name) == _folded(theirs)]
        if len(alike) > 1:
            raise UserError(
                f"{where}: expected one '{theirs}', found columns {' and '.join(map(repr, alike))}, which differ in "
                "case or blanks only"
            )
        if alike:
            found[ours] = alike[0]
    return found


def _folded(name: str) -> str:
    return name.strip("\ufeff \t\r\n\xa0").casefold()
