"""Counts how many of a pool's token counts are estimates, which limits how far its costs can be trusted."""

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from prefillroute.outcomes.files import OUTCOMES_FILE, outcome_folder
from prefillroute.outcomes.table import Outcomes

COLUMN = "tokens_estimated"
"""Optional bool column of outcomes.parquet: true if the endpoint did not report this row's token counts."""


def estimated_tokens(folder: Path | str, outcomes: Outcomes, estimated: bool) -> tuple[int, int]:
    """Count the outcomes whose tokens are estimates.

    Args:
        folder: folder of the outcome table.
        outcomes: the pool's outcomes, read from that folder.
        estimated: whether all counts are estimates; used if the table has no column `tokens_estimated`.

    Returns:
        Number of outcomes with estimated tokens, and number of outcomes with any token counts.
    """
    counted = ~(np.isnan(outcomes.prompt_tokens) & np.isnan(outcomes.completion_tokens))
    path = outcome_folder(folder) / OUTCOMES_FILE
    if COLUMN not in pq.read_schema(path).names:
        return (int(counted.sum()) if estimated else 0), int(counted.sum())
    table = pq.read_table(path, columns=["query_id", "target", COLUMN])
    table = table.filter(pc.fill_null(table[COLUMN], False))
    row = {query: index for index, query in enumerate(outcomes.queries["query_id"])}
    column = {target: index for index, target in enumerate(outcomes.targets)}
    marked = np.zeros(counted.shape, dtype=bool)
    for query, target in zip(table["query_id"].to_pylist(), table["target"].to_pylist(), strict=True):
        if query in row and target in column:
            marked[row[query], column[target]] = True
    return int((marked & counted).sum()), int(counted.sum())
