"""A user's own log: a table with one row per call, in CSV, TSV, JSONL, JSON or Parquet.

Columns: `prompt`, `target`, `correct`; if known `query_id`, `benchmark`, `category`, `prompt_tokens`,
`completion_tokens`, `latency_s`, `ttft_s`, `cost_usd`, `split`, `near_dup_group`. Others are left out.
"""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from prefillroute.errors import UserError
from prefillroute.outcomes.importers.collector import Collector
from prefillroute.outcomes.importers.contract import Advance, Given
from prefillroute.outcomes.importers.log_queries import QUERY_EXTRAS
from prefillroute.outcomes.importers.log_rows import LogRows
from prefillroute.outcomes.importers.records.chunk import Chunk
from prefillroute.outcomes.importers.records.read import SUFFIXES, find_files, matched, read_chunks
from prefillroute.outcomes.importers.records.source import NoRecordsError, Source
from prefillroute.outcomes.table import MEASURES

NEEDED = ("prompt", "target", "correct")
KNOWN = (*NEEDED, "query_id", "benchmark", "category", *MEASURES, *QUERY_EXTRAS)
ENCODING_OPTION = "--encoding "
NAMED = 20
"""Files left out that are named; the others are counted."""


def find(path: Path) -> list[Path]:
    """The file, or the tables of a folder.

    Raises:
        UserError: when there is none.
    """
    if path.is_file():
        return [path]
    found = find_files(path).files
    if not found:
        raise UserError(f"{path}: expected a file that ends in {SUFFIXES}, found no log")
    return found


def read(
    given: Given,
    collector: Collector,
    advance: Advance,
    column: Sequence[str] = (),
    encoding: str | None = None,
    repeats: str = "error",
) -> None:
    """Take every row of all files; unlike public data, a bad row ends the import.

    Args:
        given: a file of a folder that is no log, by its name or by having none of the needed columns, is left out and
            named; one that was given by name is refused.
        collector: where outcomes go.
        advance: told how many bytes were read.
        column: `OURS=THEIRS` where our name and the log's name of a column differ.
        encoding: of files without a byte order mark; None is UTF-8.
        repeats: one of ``REPEATS``: what several outcomes of a target on a query become.

    Raises:
        UserError: naming file and row, for a missing column, an empty prompt, a value out of range, a second
            prompt under one id, or a target's second outcome on a query; or naming the option.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> collector = Collector()
        >>> with TemporaryDirectory() as folder:
        ...     _ = Path(folder, "log.csv").write_text("question,target,correct\\nWhat is 2 + 2?,small,1\\n")
        ...     read(Given.at([Path(folder)], find), collector, lambda size: None, column=["prompt=question"])
        >>> collector.frames()[1][["target", "correct"]].values.tolist()
        [['small', 1.0]]
    """
    theirs = {name: name for name in KNOWN} | _columns(column)
    folders = [path for path in given.paths if path.is_dir()]
    rows = LogRows()
    ignored: dict[str, list[str]] = {}
    left_out: dict[str, list[str]] = {}
    for folder in folders:
        for reason, others in find_files(folder).left_out.items():
            left_out.setdefault(reason, []).extend(str(file.relative_to(folder)) for file in others)
    with _no_collection():
        for file in given.files:
            try:
                _read(Source(file, encoding, ENCODING_OPTION, advance), theirs, rows, ignored)
            except NoRecordsError as error:
                if not any(folder in file.parents for folder in folders):
                    raise
                reason = str(error).removeprefix(f"{file}: ")
                left_out.setdefault(reason, []).append(file.name)
    collector.notes += [f"{_listed(names)}: columns left out: {ours}" for ours, names in ignored.items()]
    for reason, names in left_out.items():
        collector.notes.append(f"left out {_listed(names)}: {reason}")
    rows.hand_over(collector, repeats)


def _columns(pairs: Sequence[str]) -> dict[str, str]:
    """Our name -> the log's."""
    columns = {}
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if not equals or ours not in KNOWN:
            raise UserError(
                f"--column: expected OURS=THEIRS with OURS one of {', '.join(KNOWN)}, found {pair}"
            )
        columns[ours] = theirs
    return columns


@contextmanager
def _no_collection() -> Iterator[None]:
    """Rows make many small objects and no cycles: Python need not look for such all the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _read(source: Source, theirs: dict[str, str], rows: LogRows, ignored: dict[str, list[str]]) -> None:
    found: dict[str, str] = {}
    names: tuple[str, ...] | None = None
    others: dict[str, None] = {}
    for number, chunk in enumerate(read_chunks(source)):
        if chunk.names != names:
            names = chunk.names
            found = matched(names, theirs, source.file)
            if number == 0:
                _check_columns(names, theirs, found, source.file)
            # In JSON a key may be absent from some rows; an empty CSV cell is the same.
            absent = [name for name in NEEDED if name not in found]
            taken = set(found.values())
            others.update(dict.fromkeys(name for name in names if name not in taken))
        if absent:
            empty = {theirs[name]: [None] * len(chunk.rows) for name in absent}
            chunk = Chunk(chunk.rows, {**chunk.columns, **empty})
        rows.take(source.file, chunk, found | {name: theirs[name] for name in absent})
    if others:
        ignored.setdefault(", ".join(others), []).append(source.file.name)


def _check_columns(
    names: Sequence[str], theirs: Mapping[str, str], found: Mapping[str, str], file: Path
) -> None:
    missing = [theirs[name] for name in NEEDED if name not in found]
    if missing:
        error = NoRecordsError if len(missing) == len(NEEDED) else UserError
        raise error(
            f"{file}: expected the columns {', '.join(map(repr, missing))}, found {', '.join(names)}; name others with "
            "--column ours=theirs"
        )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
