"""`split.max_train_queries`: a smaller training part of the same composition, to see what more labels would gain."""

import numpy as np

from prefillroute.errors import UserError
from prefillroute.outcomes.strata import strata
from prefillroute.outcomes.stratified import within_stratum_order
from prefillroute.outcomes.table import Outcomes


def training_subset(outcomes: Outcomes, rows: np.ndarray, most: int | None, seed: int) -> np.ndarray:
    """Choose at most `most` of the training rows, with every stratum in proportion and groups of duplicates whole.

    The rows are put into an order that depends on the seed and on the training part alone, and the first ones are
    taken, so a smaller subset lies inside a larger one of the same seed.

    Args:
        outcomes: the whole table.
        rows: (N,) rows of the training part, ascending.
        most: greatest number of rows; None takes all.
        seed: seed of the order.

    Returns:
        Rows, ascending; as many as `most`, less what the next group of duplicates is too large for.

    Raises:
        UserError: `most` is less than the first group of duplicates in the order.
    """
    if most is None or most >= len(rows):
        return rows
    rng = np.random.default_rng(seed)
    _, first, unit = np.unique(outcomes.duplicates[rows], return_index=True, return_inverse=True)
    weight = np.bincount(unit)
    order = within_stratum_order(strata(outcomes, rows)[first], weight, rng.permutation(len(first)), rng)
    kept = order[np.cumsum(weight[order]) <= most]
    if len(kept) == 0:
        raise UserError(
            f"split.max_train_queries: expected at least {weight[order[0]]}, the number of a query and its duplicates, "
            f"found {most}"
        )
    return rows[np.isin(unit, kept)]


def check_most(most: int | None) -> int | None:
    """Return `split.max_train_queries` if it is None or at least 1.

    Raises:
        UserError: it is less.
    """
    if most is not None and most < 1:
        raise UserError(f"split.max_train_queries: expected at least 1, found {most}; null takes all")
    return most
