"""`pool.max_queries`: fewer queries of the same make-up."""

import numpy as np
import pandas as pd

from prefillroute.errors import UserError
from prefillroute.outcomes.stratified import hash_order, within_stratum_order

STRATA = ("split", "benchmark", "category")


def stratified_subset(queries: pd.DataFrame, max_queries: int) -> np.ndarray:
    """Rows of exactly ``max_queries`` queries (all when there are fewer), in ascending order.

    Shares of split, benchmark and category are kept to about one query. The choice depends on the queries
    alone, so pools over the same queries get one subset and share an activation cache; a smaller subset
    lies inside a greater one, so growing it extracts only what is new.

    Raises:
        UserError: when ``max_queries`` is not positive.
    """
    if max_queries < 1:
        raise UserError(f"pool.max_queries is {max_queries}; expected at least 1")
    if max_queries >= len(queries):
        return np.arange(len(queries))
    columns = [column for column in STRATA if column in queries]
    strata = queries.groupby(columns, sort=True, dropna=False).ngroup().to_numpy()
    order = within_stratum_order(
        strata, np.ones(len(queries)), hash_order(queries["query_id"]), np.random.default_rng(0)
    )
    return np.sort(order[:max_queries])
