"""`pool.max_queries`: a smaller set of queries with the same composition."""

import numpy as np
import pandas as pd

from prefillroute.errors import UserError
from prefillroute.outcomes.stratified import hash_order, within_stratum_order

STRATA = ("split", "benchmark", "category")


def stratified_subset(queries: pd.DataFrame, max_queries: int) -> np.ndarray:
    """Choose exactly ``max_queries`` queries (all if there are fewer); return their rows in ascending order.

    The shares of split, benchmark and category are kept to within about one query. The choice depends on the queries
    alone, so pools over the same queries get the same subset and can share an activation cache. A smaller subset lies
    inside a larger one, so enlarging it extracts only what is new.

    Raises:
        UserError: ``max_queries`` is not positive.
    """
    if max_queries < 1:
        raise UserError(f"pool.max_queries: expected at least 1, found {max_queries}; null takes all")
    if max_queries >= len(queries):
        return np.arange(len(queries))
    columns = [column for column in STRATA if column in queries]
    strata = queries.groupby(columns, sort=True, dropna=False).ngroup().to_numpy()
    order = within_stratum_order(
        strata, np.ones(len(queries)), hash_order(queries["query_id"]), np.random.default_rng(0)
    )
    return np.sort(order[:max_queries])
