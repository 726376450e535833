"""Groups of duplicate queries (DESIGN section 4): a prediction for a query must not use the outcomes of its duplicates.

Splits, folds, cross-fitting, early stopping and neighbours all keep groups whole; `Outcomes.duplicates` holds their
codes.
"""

import numpy as np
import pandas as pd

GROUP_COLUMN = "near_dup_group"


def duplicate_groups(queries: pd.DataFrame) -> np.ndarray:
    """Group queries with equal prompts (after folding white space) or an equal `near_dup_group`.

    Groups that overlap become one: if a near duplicate of a query occurs verbatim elsewhere, all three are one group.

    Args:
        queries: Q rows with `prompt` and, if known, `near_dup_group` (null means in no group).

    Returns:
        (Q,) int codes from 0.
    """
    folded = np.array([" ".join(prompt.split()) for prompt in queries["prompt"]], dtype=object)
    by_prompt = pd.factorize(folded)[0]
    if GROUP_COLUMN not in queries:
        return by_prompt
    by_column = pd.factorize(queries[GROUP_COLUMN])[0]  # -1: in no group
    inside = np.flatnonzero(by_column >= 0)
    prompts, columns = by_prompt[inside], by_column[inside]
    # Every prompt takes the least code among the prompts that it is joined with, until no code changes.
    code = np.arange(by_prompt.max(initial=-1) + 1)
    while True:
        least = np.full(by_column.max(initial=-1) + 1, len(code))
        np.minimum.at(least, columns, code[prompts])
        joined = code.copy()
        np.minimum.at(joined, prompts, least[columns])
        joined = joined[joined]  # halves the number of passes that a chain needs
        if (joined == code).all():
            return np.unique(code[by_prompt], return_inverse=True)[1]
        code = joined
