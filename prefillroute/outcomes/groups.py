"""Queries that must not meet (DESIGN section 4): none learns from, or is told, the outcomes of its duplicates.

The one notion behind splits, folds, cross-fitting, early stopping and neighbours; `Outcomes.groups` holds the codes.
"""

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

GROUP_COLUMN = "near_dup_group"


def duplicate_groups(queries: pd.DataFrame) -> np.ndarray:
    """Group code of each query: equal prompts after whitespace folding, or an equal `near_dup_group`.

    Both relations are joined: if a near duplicate of a query occurs verbatim elsewhere, all are one group.

    Args:
        queries: Q rows with `prompt` and, if known, `near_dup_group` (null: in no group).

    Returns:
        (Q,) int codes from 0.
    """
    folded = np.array([" ".join(prompt.split()) for prompt in queries["prompt"]], dtype=object)
    by_prompt = pd.factorize(folded)[0]
    if GROUP_COLUMN not in queries:
        return by_prompt
    by_column = pd.factorize(queries[GROUP_COLUMN])[0]  # -1: in no group
    inside = np.flatnonzero(by_column >= 0)
    # A bipartite graph: prompts on one side, groups of the column on the other, an edge per query.
    num_prompts, num_groups = by_prompt.max(initial=-1) + 1, by_column.max(initial=-1) + 1
    edges = coo_matrix(
        (np.ones(len(inside)), (by_prompt[inside], num_prompts + by_column[inside])),
        shape=(num_prompts + num_groups,) * 2,
    )
    return connected_components(edges, directed=False)[1][by_prompt]
