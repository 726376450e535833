"""Folds for out-of-fold predictions and holdouts for early stopping; strata and groups are the split's."""

import numpy as np

from prefillroute.errors import UserError
from prefillroute.outcomes.strata import strata
from prefillroute.outcomes.stratified import assign_parts
from prefillroute.outcomes.table import Outcomes


def stratified_folds(outcomes: Outcomes, rows: np.ndarray, num_folds: int, seed: int) -> np.ndarray:
    """Fold of each of ``rows``, common to all targets.

    Args:
        outcomes: the whole table.
        rows: (N,) row indices, usually the training part.
        num_folds: K.
        seed: of the shuffle.

    Returns:
        (N,) int of 0 .. K-1. Queries of one group share a fold.

    Raises:
        UserError: when there are fewer groups than folds, or fewer than 2 folds.
    """
    group = outcomes.groups[rows]
    num_groups = len(np.unique(group))
    if not 2 <= num_folds <= num_groups:
        raise UserError(
            f"num_folds is {num_folds} for {num_groups} distinct training queries; expected 2 to {num_groups}"
        )
    folds = assign_parts(strata(outcomes, rows), group, [1 / num_folds] * num_folds, seed)
    if len(np.unique(folds)) < num_folds:
        raise UserError(
            f"num_folds is {num_folds}; repeated prompts leave a fold empty; expected fewer folds"
        )
    return folds


def cross_fitting_folds(outcomes: Outcomes, rows: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Fold of each of ``rows``: as many folds as ``rows`` allow, up to ``most``; never an error.

    Args:
        outcomes: the whole table.
        rows: (N,) row indices, usually the calibration part.
        most: folds where there are queries enough.
        seed: of the shuffle.

    Returns:
        (N,) int of 0 .. K-1, every fold with rows. K = 1 where all rows are of one group. Queries of one group share
        a fold.
    """
    group = outcomes.groups[rows]
    for num_folds in range(min(most, len(np.unique(group))), 1, -1):
        folds = assign_parts(strata(outcomes, rows), group, [1 / num_folds] * num_folds, seed)
        if len(np.unique(folds)) == num_folds:  # large groups may leave a fold empty, though never one of two
            return folds
    return np.zeros(len(rows), dtype=np.int64)


def stratified_holdout(outcomes: Outcomes, rows: np.ndarray, size: float, seed: int) -> np.ndarray:
    """Which of ``rows`` are held out.

    Args:
        outcomes: the whole table.
        rows: (N,) row indices.
        size: share of ``rows`` to hold out.
        seed: of the shuffle.

    Returns:
        (N,) bool, at least one of each value. Queries of one group are held out together.

    Raises:
        UserError: when the rows are too few or too alike to be parted.
    """
    group = outcomes.groups[rows]
    held_out = assign_parts(strata(outcomes, rows), group, (1 - size, size), seed) == 1
    if not held_out.any() and len(np.unique(group)) > 1:
        # Too few rows for the share: hold out one group, the smallest.
        values, counts = np.unique(group, return_counts=True)
        held_out = group == values[np.argmin(counts)]
    if not held_out.any() or held_out.all():
        raise UserError(
            f"{len(rows)} training queries cannot be parted into training and validation; expected more"
        )
    return held_out
