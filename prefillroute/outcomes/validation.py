"""What an outcome table must be, checked where it enters; refusals name file and row (DESIGN section 9).

Rows are counted from 1, as an editor shows them; for CSV and Parquet alike the header is not counted.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api import types

from prefillroute.errors import UserError
from prefillroute.outcomes.table import MEASURES

QUERY_COLUMNS = ("query_id", "benchmark", "category", "prompt")
OUTCOME_COLUMNS = ("query_id", "target", "correct")
PARTS = ("train", "calibration", "test")
"""Values of a `split` column."""


def check_queries(queries: pd.DataFrame, where: Path | str) -> None:
    """Refuse a query table with a missing column, wrong type, repeated id, empty prompt or unknown part.

    Raises:
        UserError: naming ``where``, the row and the value.
    """
    check_columns(queries, QUERY_COLUMNS, where)
    for column in QUERY_COLUMNS:
        _check_text(queries[column], where)
    _refuse(queries["query_id"].duplicated().to_numpy(), queries["query_id"], where, "every query once")
    empty = queries["prompt"].str.strip().eq("").to_numpy(dtype=bool)
    if empty.any():
        row = int(np.argmax(empty))
        name = queries["query_id"].iloc[row]
        raise UserError(f"{where}: row {row + 1}: prompt of query '{name}' is empty; expected text")
    if "split" in queries:
        known = queries["split"].isin(PARTS).to_numpy(dtype=bool)
        _refuse(~known, queries["split"], where, "one of " + ", ".join(PARTS))


def check_outcomes(outcomes: pd.DataFrame, where: Path | str) -> None:
    """Refuse an outcome table with a missing column, wrong type, repeated pair or a value out of range.

    Raises:
        UserError: naming ``where``, the row and the value.
    """
    check_columns(outcomes, OUTCOME_COLUMNS, where)
    for column in ("query_id", "target"):
        _check_text(outcomes[column], where)
    repeated = outcomes.duplicated(["query_id", "target"]).to_numpy()
    if repeated.any():
        refuse_pair(int(np.argmax(repeated)), outcomes, where)
    for column in ("correct", *MEASURES):
        if column in outcomes:
            if not types.is_numeric_dtype(outcomes[column]):
                raise UserError(f"{where}: column '{column}' is {outcomes[column].dtype}; expected numbers")
            check_measure(column, outcomes[column].to_numpy(dtype=np.float64, na_value=np.nan), where)


def refuse_pair(row: int, outcomes: pd.DataFrame, where: Path | str) -> None:
    """Say that a (query, target) pair was there before; ``row`` counts from 0."""
    query, target = outcomes["query_id"].iloc[row], outcomes["target"].iloc[row]
    raise UserError(
        f"{where}: row {row + 1}: second outcome of target '{target}' on query '{query}'; expected one"
    )


def check_columns(frame: pd.DataFrame, wanted: Sequence[str], where: Path | str) -> None:
    """Refuse a table that lacks a column."""
    missing = [column for column in wanted if column not in frame]
    if missing:
        raise UserError(
            f"{where}: no column {', '.join(map(repr, missing))}; "
            f"found {', '.join(map(str, frame.columns))}, expected {', '.join(wanted)}"
        )


def check_measure(column: str, values: np.ndarray, where: Path | str) -> None:
    """Refuse values out of range; NaN stands for missing and passes.

    Args:
        column: `correct` (in [0, 1]) or one of ``MEASURES`` (finite, not negative).
        values: (rows,) float64.
        where: file, for the message.
    """
    if column == "correct":
        bad, wanted = (values < 0) | (values > 1), "a number in [0, 1]"
    else:
        bad, wanted = (values < 0) | np.isinf(values), "a finite number not below 0"
    if bad.any():
        row = int(np.argmax(bad))
        raise UserError(f"{where}: row {row + 1}: {column} is {values[row]:g}; expected {wanted}")


def _check_text(column: pd.Series, where: Path | str) -> None:
    if not isinstance(column.dtype, pd.StringDtype):
        is_text = column.map(lambda value: isinstance(value, str)).to_numpy(dtype=bool)
        _refuse(~is_text, column, where, "text")
        # Half of an emoji is a string for Python, and cannot be written.
        is_whole = column.map(_is_whole).to_numpy(dtype=bool)
        _refuse(~is_whole, column, where, "text of whole characters (this has a surrogate)")
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
        raise UserError(f"{where}: row {row + 1}: {column.name} is {value!r}; expected {wanted}")
