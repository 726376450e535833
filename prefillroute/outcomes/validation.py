"""Checks outcome tables where they enter; an error names file and row (DESIGN section 9).

Rows are counted from 1, and the header is not counted, for CSV and Parquet alike.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api import types

from prefillroute.errors import UserError
from prefillroute.outcomes.evaluation_only import EVALUATION_ONLY, is_evaluation_only
from prefillroute.outcomes.table import MEASURES

QUERY_COLUMNS = ("query_id", "benchmark", "category", "prompt")
OUTCOME_COLUMNS = ("query_id", "target", "correct")
PARTS = ("train", "calibration", "test")
"""Allowed values of a `split` column."""


def check_queries(queries: pd.DataFrame, where: Path | str) -> None:
    """Refuse a query table with a missing column, a wrong type, a repeated id, an empty prompt or an unknown part.

    A query for evaluation only is refused in any part but the test part.

    Raises:
        UserError: names ``where``, the row and the value.
    """
    check_columns(queries, QUERY_COLUMNS, where)
    for column in QUERY_COLUMNS:
        _check_text(queries[column], where)
    _refuse(queries["query_id"].duplicated().to_numpy(), queries["query_id"], where, "every query once")
    empty = queries["prompt"].str.strip().eq("").to_numpy(dtype=bool)
    if empty.any():
        row = int(np.argmax(empty))
        name = queries["query_id"].iloc[row]
        raise UserError(
            f"{where}: row {row + 1}: prompt of query '{name}': expected text, found an empty one"
        )
    if "split" in queries:
        known = queries["split"].isin(PARTS).to_numpy(dtype=bool)
        _refuse(~known, queries["split"], where, "one of " + ", ".join(PARTS))
    if EVALUATION_ONLY in queries:
        marks = queries[EVALUATION_ONLY]
        is_mark = (marks.isin([True, False]) | marks.isna()).to_numpy(dtype=bool)
        _refuse(~is_mark, marks, where, "true, false or an empty cell")
        if "split" in queries:
            moved = is_evaluation_only(queries) & (queries["split"] != "test").to_numpy(dtype=bool)
            _refuse(moved, queries["split"], where, f"test, as the query is marked {EVALUATION_ONLY}")


def check_outcomes(outcomes: pd.DataFrame, where: Path | str) -> None:
    """Refuse an outcome table with a missing column, a wrong type, a repeated pair or a value out of range.

    Raises:
        UserError: names ``where``, the row and the value.
    """
    check_columns(outcomes, OUTCOME_COLUMNS, where)
    for column in ("query_id", "target"):
        _check_text(outcomes[column], where)
    repeated = outcomes.duplicated(["query_id", "target"]).to_numpy()
    if repeated.any():
        row = int(np.argmax(repeated))
        query, target = outcomes["query_id"].iloc[row], outcomes["target"].iloc[row]
        raise UserError(
            f"{where}: row {row + 1}: expected one outcome of target '{target}' on query '{query}', found a second"
        )
    for column in ("correct", *MEASURES):
        if column in outcomes:
            if not types.is_numeric_dtype(outcomes[column]):
                raise UserError(
                    f"{where}: column '{column}': expected numbers, found {outcomes[column].dtype}"
                )
            check_measure(column, outcomes[column].to_numpy(dtype=np.float64, na_value=np.nan), where)


def check_columns(frame: pd.DataFrame, wanted: Sequence[str], where: Path | str) -> None:
    """Refuse a table that lacks a column."""
    missing = [column for column in wanted if column not in frame]
    if missing:
        raise UserError(
            f"{where}: expected the columns {', '.join(wanted)}, found {', '.join(map(str, frame.columns))}; add "
            f"{', '.join(map(repr, missing))}"
        )


def check_measure(column: str, values: np.ndarray, where: Path | str) -> None:
    """Refuse values out of range; NaN means missing and is accepted.

    Args:
        column: `correct` (in [0, 1]) or one of ``MEASURES`` (finite, not negative).
        values: (rows,) float64.
        where: the file's name, for the message.

    Raises:
        UserError: names ``where``, the row and the value.
    """
    if column == "correct":
        bad, wanted = (values < 0) | (values > 1), "a number in [0, 1]"
    else:
        bad, wanted = (values < 0) | np.isinf(values), "a finite number not below 0"
    if bad.any():
        row = int(np.argmax(bad))
        raise UserError(f"{where}: row {row + 1}: {column}: expected {wanted}, found {values[row]:g}")


def _check_text(column: pd.Series, where: Path | str) -> None:
    if not isinstance(column.dtype, pd.StringDtype):
        is_text = column.map(lambda value: isinstance(value, str)).to_numpy(dtype=bool)
        _refuse(~is_text, column, where, "text")
        # Python accepts half an emoji in a string, but it cannot be written to a file.
        is_whole = column.map(_is_whole).to_numpy(dtype=bool)
        _refuse(~is_whole, column, where, "text without surrogates")
    _refuse(column.isna().to_numpy(), column, where, "text")


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse(bad: np.ndarray, column: pd.Series, where: Path | str, wanted: str) -> None:
    if bad.any():
        row = int(np.argmax(bad))
        value = column.iloc[row]
        value = value.item() if isinstance(value, np.generic) else value
        raise UserError(f"{where}: row {row + 1}: {column.name}: expected {wanted}, found {value!r}")
