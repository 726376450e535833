"""Records of a data set in its owners' layout: from the Hugging Face hub, or from a copy on this machine."""

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
"""Rows decoded at once: some data sets carry images of megabytes."""


def published_records(
    repo: str, revision: str, split: str, columns: Sequence[str], path: str | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, record) in the owners' order; the place is for messages.

    Args:
        repo: data set on the hub, laid out as `data/<split>-00000-of-00001.parquet`.
        revision: commit on the hub.
        split: for instance test.
        columns: needed; others are not read from parquet.
        path: local file (parquet or JSON lines) or a folder that holds `<split>*` files, instead of the hub.

    Raises:
        UserError: when the hub cannot be reached or refuses, a file is absent or damaged, or a column is missing.
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
                    f"benchmark.path={path}: a {folder.suffix or 'nameless'} file; expected .parquet or .jsonl"
                )
            return [folder]
        if not folder.is_dir():
            raise UserError(f"benchmark.path={path}: no such file or folder; expected a copy of {repo}")
    found = sorted(f for f in folder.rglob(f"{split}*") if f.suffix in (PARQUET, *JSON_LINES))
    if not found:
        raise UserError(
            f"{path or repo}: no {split}*.parquet or {split}*.jsonl; expected the files of {repo}"
        )
    return found


def _fetched(repo: str, revision: str, split: str) -> Path:
    way_out = "or give a local copy with benchmark.path="
    try:
        return Path(
            snapshot_download(
                repo, repo_type="dataset", revision=revision, allow_patterns=[f"data/{split}-*{PARQUET}"]
            )
        )
    except GatedRepoError as error:
        raise UserError(
            f"data set {repo}: its owners ask you to accept their terms at https://huggingface.co/datasets/{repo} "
            f"and to set HF_TOKEN, {way_out}"
        ) from error
    except (OSError, ValueError, httpx.HTTPError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(
            f"data set {repo}: cannot be had from the Hugging Face hub ({reason}); connect, {way_out}"
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
        raise UserError(f"{file}: not a whole parquet file after row {row} ({reason})") from error


def _json_lines(file: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for row, record in read_rows(file):
        place = f"{file}: row {row}"
        _check_columns(place, record, columns)
        yield place, record


def _check_columns(place: Path | str, found: Any, wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in found]
    if missing:
        raise UserError(
            f"{place}: no column {', '.join(missing)}; found {', '.join(found)}, expected {', '.join(wanted)}"
        )
