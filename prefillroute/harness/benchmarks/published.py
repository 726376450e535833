"""Reads the records of a published data set, from the Hugging Face hub or from a copy on this machine."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
from huggingface_hub import snapshot_download
from huggingface_hub.errors import GatedRepoError

from prefillroute.errors import UserError
from prefillroute.outcomes.importers.records.read import read_rows

PARQUET = ".parquet"
JSON_LINES = (".jsonl", ".ndjson")
BATCH_ROWS = 256
"""Rows decoded at once; some data sets contain images of several megabytes."""


def published_records(
    repo: str, revision: str, split: str, columns: Sequence[str], path: str | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, record) in the data set's order; the place is for messages.

    Args:
        repo: data set on the hub, laid out as `data/<split>-00000-of-00001.parquet`.
        revision: commit on the hub.
        split: part of the data set, for instance test.
        columns: columns that must be there; no others are read from parquet.
        path: local file (parquet or JSON lines), or folder with `<split>*` files, to read instead of the hub.

    Raises:
        UserError: the hub cannot be reached or refuses, a file is absent or damaged, or a column is missing.
    """
    for file in _files(repo, revision, split, path):
        yield from _parquet(file, columns) if file.suffix == PARQUET else _json_lines(file, columns)


def _files(repo: str, revision: str, split: str, path: str | None) -> list[Path]:
    if path is None:
        folder = _fetched(repo, revision, split)
    else:
        folder = Path(path).expanduser()
        if folder.is_file():
            if folder.suffix not in (PARQUET, *JSON_LINES):
                raise UserError(
                    f"benchmark.path={path}: expected a .parquet or .jsonl file, found suffix '{folder.suffix}'"
                )
            return [folder]
        if not folder.is_dir():
            raise UserError(f"benchmark.path={path}: expected a copy of {repo}, found no such file or folder")
    found = sorted(f for f in folder.rglob(f"{split}*") if f.suffix in (PARQUET, *JSON_LINES))
    if not found:
        raise UserError(
            f"{path or repo}: expected the files of {repo}, found no {split}*.parquet and no {split}*.jsonl"
        )
    return found


def _fetched(repo: str, revision: str, split: str) -> Path:
    or_a_copy = "or give a local copy with benchmark.path="
    try:
        return Path(
            snapshot_download(
                repo, repo_type="dataset", revision=revision, allow_patterns=[f"data/{split}-*{PARQUET}"]
            )
        )
    except GatedRepoError as error:
        raise UserError(
            f"data set {repo}: expected access to it, found terms to accept; accept them at "
            f"https://huggingface.co/datasets/{repo} and set HF_TOKEN, {or_a_copy}"
        ) from error
    except (OSError, ValueError, httpx.HTTPError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(
            f"data set {repo}: expected it from the Hugging Face hub, found no way to download it ({reason}); connect, "
            f"{or_a_copy}"
        ) from error


def _parquet(file: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    row = 0
    try:
        with pq.ParquetFile(file) as table:
            _check_columns(file, table.schema_arrow.names, columns)
            for batch in table.iter_batches(BATCH_ROWS, columns=list(columns)):
                for record in batch.to_pylist():
                    row += 1
                    yield f"{file}: row {row}", record
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"{file}: expected a whole Parquet file, found it damaged after row {row} ({reason}); download it again"
        ) from error


def _json_lines(file: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for row, record in read_rows(file):
        place = f"{file}: row {row}"
        _check_columns(place, record, columns)
        yield place, record


def _check_columns(place: Path | str, found: Any, wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in found]
    if missing:
        raise UserError(
            f"{place}: expected the columns {', '.join(wanted)}, found {', '.join(found)}; {', '.join(missing)} missing"
        )
