"""Reads and writes an outcome folder: `queries.parquet` and `outcomes.parquet` (DESIGN section 4)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from prefillroute.errors import UserError
from prefillroute.files import replacing
from prefillroute.outcomes.subset import stratified_subset
from prefillroute.outcomes.table import MEASURES, Outcomes
from prefillroute.outcomes.validation import (
    OUTCOME_COLUMNS,
    check_columns,
    check_measure,
    check_outcomes,
    check_queries,
)
from prefillroute.text.hints import exclude, listed

QUERIES_FILE = "queries.parquet"
OUTCOMES_FILE = "outcomes.parquet"


def read_outcomes(
    folder: Path | str,
    targets: Sequence[str] | None = None,
    correct_threshold: float = 0.5,
    max_queries: int | None = None,
    import_hint: str | None = None,
    excluded: Sequence[str] = (),
) -> Outcomes:
    """Load an outcome folder into dense matrices.

    Queries for which none of ``targets`` has an outcome are left out, so that pools can share a folder.

    Args:
        folder: the folder that holds queries.parquet and outcomes.parquet.
        targets: names in pool order; None takes all, in order of appearance.
        correct_threshold: the least `correct` that counts as label 1.
        max_queries: size of a stratified subset of the queries that have outcomes; None takes them all.
        import_hint: the command that makes the folder; an error message names it if the folder is missing.
        excluded: targets that the pool already leaves out; an error message repeats them when it leaves out more.

    Raises:
        UserError: a file is missing or damaged, a target has no outcomes, or validation refuses the table.

    Example:
        >>> outcomes = read_outcomes("pkg://prefillroute.starter_pool", max_queries=100)
        >>> outcomes.targets[:2], outcomes.correct.shape
        (('gemma3-270m-direct', 'gemma3-270m-steps'), (100, 4))
    """
    folder = outcome_folder(folder)
    queries_path, outcomes_path = folder / QUERIES_FILE, folder / OUTCOMES_FILE
    queries = _read(queries_path, import_hint).to_pandas()
    check_queries(queries, queries_path)
    table = _read(outcomes_path, import_hint, columns=(*OUTCOME_COLUMNS, *MEASURES))
    check_columns(pd.DataFrame(columns=table.column_names), OUTCOME_COLUMNS, outcomes_path)
    outcomes = replace(
        _dense(queries, table, targets, outcomes_path, excluded), correct_threshold=correct_threshold
    )
    outcomes = outcomes.select(np.flatnonzero(outcomes.observed.any(axis=1)))
    if max_queries is not None:
        outcomes = outcomes.select(stratified_subset(outcomes.queries, max_queries))
    return outcomes


def outcome_folder(folder: Path | str) -> Path:
    """Resolve a folder, or one inside a package in Hydra's notation: `pkg://prefillroute.starter_pool`.

    Raises:
        UserError: there is no such package.
    """
    text = str(folder)
    # If it went through Path, the two slashes have become one.
    name = next((text.removeprefix(mark) for mark in ("pkg://", "pkg:/") if text.startswith(mark)), None)
    if name is None:
        return Path(folder)
    try:
        return Path(str(resources.files(name)))
    except ModuleNotFoundError as error:
        raise UserError(
            f"{text}: expected a folder or pkg://<package>, found no package '{error.name}'; correct its name"
        ) from error


def write_outcomes(folder: Path | str, queries: pd.DataFrame, outcomes: pd.DataFrame) -> None:
    """Validate and write both tables; a file appears under its name only when it is complete.

    Args:
        folder: created if missing.
        queries: table with the columns of ``QUERY_COLUMNS`` and any others.
        outcomes: one row per query and target, with `correct` and any of ``MEASURES``.

    Raises:
        UserError: validation refuses a table, an outcome belongs to an unknown query, or the disk is full.
    """
    folder = Path(folder)
    check_queries(queries, folder / QUERIES_FILE)
    check_outcomes(outcomes, folder / OUTCOMES_FILE)
    codes, names = pd.factorize(outcomes["query_id"])
    unknown = (pd.Index(queries["query_id"]).get_indexer(pd.Index(names)) < 0)[codes]
    if unknown.any():
        _refuse_query(outcomes["query_id"].iloc[int(np.argmax(unknown))], unknown, folder / OUTCOMES_FILE)
    # Neither file takes its name before both are complete.
    with _written(outcomes, folder / OUTCOMES_FILE), _written(queries, folder / QUERIES_FILE):
        pass


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet, without its index; the file appears under its name only when it is complete.

    Raises:
        UserError: the disk is full or cannot be written to.
    """
    with _written(frame, path):
        pass


@contextmanager
def _written(frame: pd.DataFrame, path: Path) -> Iterator[None]:
    """Write a table completely before the block begins; give the file its name when the block ends."""
    try:
        with replacing(path) as partial:
            frame.to_parquet(partial, index=False, compression="zstd")
            yield
    except OSError as error:  # Arrow's own message does not name the file
        reason = " ".join(str(error.strerror or error).split())
        raise UserError(
            f"{path}: expected a folder that it can be written to, found none ({reason}); make room or choose another"
        ) from error


def _read(path: Path, import_hint: str | None, columns: Sequence[str] | None = None) -> pa.Table:
    if not path.is_file():
        how = import_hint or "prefillroute import"
        raise UserError(f"{path}: expected an outcome table, found no such file; make it with: {how}")
    try:
        with pq.ParquetFile(path, read_dictionary=["query_id", "target"] if columns else None) as file:
            present = set(file.schema_arrow.names)
            return file.read(columns=[column for column in columns if column in present] if columns else None)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{path}: expected a whole Parquet file, found a damaged one ({reason}); import it again"
        ) from error


def _dense(
    queries: pd.DataFrame,
    table: pa.Table,
    targets: Sequence[str] | None,
    path: Path,
    excluded: Sequence[str],
) -> Outcomes:
    query_codes, query_names = _codes(table, "query_id", path)
    target_codes, target_names = _codes(table, "target", path)
    if targets is None:
        targets = target_names
    column_of = pd.Index(targets).get_indexer(pd.Index(target_names))  # -1: not in the pool
    absent = [name for name in targets if name not in set(target_names)]
    if absent:
        raise UserError(
            f"{path}: expected outcomes of target '{absent[0]}', found only those of {listed(sorted(target_names))}; "
            f"leave out what it lacks with {exclude(*excluded, *absent)}"
        )
    row_of = pd.Index(queries["query_id"]).get_indexer(pd.Index(query_names))
    rows, columns = row_of[query_codes], column_of[target_codes]
    if (rows < 0).any():
        _refuse_query(query_names[query_codes[int(np.argmax(rows < 0))]], rows < 0, path)
    num_queries, num_targets = len(queries), len(targets)
    _refuse_repeated(query_codes, target_codes, query_names, target_names, path)

    kept = columns >= 0
    cells = rows[kept] * num_targets + columns[kept]

    def matrix(measure: str) -> np.ndarray:
        dense = np.full(num_queries * num_targets, np.nan)
        if measure in table.column_names:
            values = _numbers(table[measure], measure, path)
            check_measure(measure, values, path)
            dense[cells] = values[kept]
        return dense.reshape(num_queries, num_targets)

    return Outcomes(
        queries=queries.reset_index(drop=True),
        targets=tuple(targets),
        correct=matrix("correct"),
        prompt_tokens=matrix("prompt_tokens"),
        completion_tokens=matrix("completion_tokens"),
        latency_s=matrix("latency_s"),
        ttft_s=matrix("ttft_s"),
        cost_usd=matrix("cost_usd"),
    )


def _codes(table: pa.Table, column: str, path: Path) -> tuple[np.ndarray, list[str]]:
    """Return the integer codes (rows,) of a text column, and the texts that they stand for."""
    chunked = table[column]
    if chunked.null_count:
        row = int(np.argmax(chunked.is_null().to_numpy(zero_copy_only=False)))
        raise UserError(f"{path}: row {row + 1}: {column}: expected text, found an empty cell")
    if not pa.types.is_dictionary(chunked.type):
        chunked = chunked.dictionary_encode()
    if not (pa.types.is_string(chunked.type.value_type) or pa.types.is_large_string(chunked.type.value_type)):
        raise UserError(f"{path}: column '{column}': expected text, found {chunked.type.value_type}")
    array = chunked.unify_dictionaries().combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.array([], pa.dictionary(pa.int32(), pa.string()))
    return np.asarray(array.indices, dtype=np.int64), array.dictionary.to_pylist()


def _numbers(column: pa.ChunkedArray, name: str, path: Path) -> np.ndarray:
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind)):
        if not pa.types.is_boolean(kind) or name != "correct":
            raise UserError(f"{path}: column '{name}': expected numbers, found {kind}")
        column = column.cast(pa.int8())
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _refuse_repeated(
    query_codes: np.ndarray, target_codes: np.ndarray, queries: list[str], targets: list[str], path: Path
) -> None:
    cells = query_codes * len(targets) + target_codes
    first = np.full(len(queries) * len(targets), len(cells), dtype=np.int64)
    np.minimum.at(first, cells, np.arange(len(cells)))
    repeated = first[cells] < np.arange(len(cells))
    if repeated.any():
        row = int(np.argmax(repeated))
        raise UserError(
            f"{path}: row {row + 1}: expected one outcome of target '{targets[target_codes[row]]}' on query "
            f"'{queries[query_codes[row]]}', found a second"
        )


def _refuse_query(query: str, unknown: np.ndarray, path: Path) -> None:
    row = int(np.argmax(unknown))
    raise UserError(
        f"{path}: row {row + 1}: query_id: expected one that is in {QUERIES_FILE}, found '{query}'"
    )
