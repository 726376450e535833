"""Queries that nothing may be trained on, such as those of a public arena: a column of the query table marks them."""

import numpy as np
import pandas as pd

from prefillroute.errors import UserError

EVALUATION_ONLY = "evaluation_only"
"""Optional bool column of queries.parquet: true if the query may be in the test part only."""


def is_evaluation_only(queries: pd.DataFrame) -> np.ndarray:
    """(Q,) bool: which queries are marked; an empty cell is not."""
    if EVALUATION_ONLY not in queries:
        return np.zeros(len(queries), dtype=bool)
    return queries[EVALUATION_ONLY].eq(True).fillna(False).to_numpy(dtype=bool)


def refuse_training(queries: pd.DataFrame, rows: np.ndarray) -> None:
    """Refuse a split that would train or calibrate on marked queries.

    Args:
        queries: the whole table.
        rows: (N,) rows of the training and calibration parts.

    Raises:
        UserError: naming the first of them.
    """
    marked = rows[is_evaluation_only(queries)[rows]]
    if len(marked):
        raise UserError(
            f"split: expected training and calibration queries that are not marked {EVALUATION_ONLY}, found "
            f"{len(marked):,}, the first of them '{queries['query_id'].iloc[marked[0]]}'; choose another split"
        )
