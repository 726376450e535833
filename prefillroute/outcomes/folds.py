"""Folds for out-of-fold predictions, and holdouts for early stopping, with the same strata and groups as a split."""

import numpy as np

from prefillroute.errors import UserError
from prefillroute.outcomes.strata import strata
from prefillroute.outcomes.stratified import assign_parts
from prefillroute.outcomes.table import Outcomes


def stratified_folds(outcomes: Outcomes, rows: np.ndarray, num_folds: int, seed: int) -> np.ndarray:
    """Assign each of ``rows`` to a fold; all targets have the same folds.

    Args:
        outcomes: the whole table.
        rows: (N,) row indices, usually the training part.
        num_folds: number of folds K.
        seed: seed of the shuffle.

    Returns:
        (N,) int, 0 .. K-1. Queries of one group share a fold.

    Raises:
        UserError: there are fewer groups than folds, or fewer than 2 folds.
    """
    group = outcomes.duplicates[rows]
    num_groups = len(np.unique(group))
    if not 2 <= num_folds <= num_groups:
        raise UserError(
            f"num_folds: expected 2 to {num_groups}, the number of distinct training queries, found {num_folds}"
        )
    folds = assign_parts(strata(outcomes, rows), group, [1 / num_folds] * num_folds, seed)
    if len(np.unique(folds)) < num_folds:
        raise UserError(
            f"num_folds: expected fewer folds, since repeated prompts leave one empty, found {num_folds}"
        )
    return folds


def cross_fitting_folds(outcomes: Outcomes, rows: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Assign each of ``rows`` to a fold, with as many folds as ``rows`` allow, up to ``most``. Never raises.

    Args:
        outcomes: the whole table.
        rows: (N,) row indices, usually the calibration part.
        most: number of folds if there are enough queries.
        seed: seed of the shuffle.

    Returns:
        (N,) int, 0 .. K-1; no fold is empty. K = 1 if all rows belong to one group. Queries of one group share a fold.
    """
    group = outcomes.duplicates[rows]
    for num_folds in range(min(most, len(np.unique(group))), 1, -1):
        folds = assign_parts(strata(outcomes, rows), group, [1 / num_folds] * num_folds, seed)
        if len(np.unique(folds)) == num_folds:  # large groups may leave a fold empty, but never one of two
            return folds
    return np.zeros(len(rows), dtype=np.int64)


def stratified_holdout(outcomes: Outcomes, rows: np.ndarray, size: float, seed: int) -> np.ndarray:
    """Choose which of ``rows`` are held out.

    Args:
        outcomes: the whole table.
        rows: (N,) row indices.
        size: share of ``rows`` to hold out.
        seed: seed of the shuffle.

    Returns:
        (N,) bool, at least one of each value. Queries of one group are held out together.

    Raises:
        UserError: the rows are too few, or all belong to one group.
    """
    group = outcomes.duplicates[rows]
    held_out = assign_parts(strata(outcomes, rows), group, (1 - size, size), seed) == 1
    if not held_out.any() and len(np.unique(group)) > 1:
        # The share is less than one row: hold out the smallest group.
        values, counts = np.unique(group, return_counts=True)
        held_out = group == values[np.argmin(counts)]
    if not held_out.any() or held_out.all():
        raise UserError(
            f"pool: expected training queries enough for a training and a validation part, found {len(rows)}"
        )
    return held_out
