"""Which group is trained on which rows: group 0 is the final fit, groups 1..K leave one fold out (DESIGN section 7)."""

from dataclasses import dataclass

import numpy as np

from prefillroute.outcomes.folds import cross_fitting_folds, stratified_folds, stratified_holdout
from prefillroute.outcomes.splits import Split
from prefillroute.outcomes.table import Outcomes


@dataclass(frozen=True)
class Groups:
    """Masks over the N training rows; each mask has one row per group."""

    rows: np.ndarray
    """(N,) rows of the outcome table that training may see."""
    folds: np.ndarray
    """(N,) fold of each training row, for the layer probes and, without a calibration part, for the groups."""
    train: np.ndarray
    """(G, N) bool: gradient steps, scaler, PCA and closed forms read these rows."""
    valid: np.ndarray
    """(G, N) bool: early stopping and the choice of members read these; part of the group's training rows."""
    held_out: np.ndarray
    """(G, N) bool: rows that are only predicted; empty for group 0."""
    calibration_folds: np.ndarray
    """(C,) fold of each calibration row, for cross-fitting calibrators. All of them are 0 if the calibration rows are
    one query and its duplicates."""

    @property
    def fit(self) -> np.ndarray:
        """(G, N) bool: the rows that a group may learn from, that is, its training and validation rows."""
        return self.train | self.valid

    @property
    def out_of_fold(self) -> bool:
        """Whether every training row is held out by one group."""
        return len(self.train) > 1


def make_groups(
    outcomes: Outcomes, split: Split, num_folds: int, validation_size: float, seed: int
) -> Groups:
    """Cut the training part into folds and, inside each group, a validation part.

    With a calibration part there is only group 0: calibrator and lambda are fitted on that part.
    """
    rows = np.asarray(split.train)
    folds = stratified_folds(outcomes, rows, num_folds=num_folds, seed=seed)
    held = [np.zeros(len(rows), dtype=bool)]
    if len(split.calibration) == 0:
        held += [folds == fold for fold in range(int(folds.max()) + 1)]
    held_out = np.stack(held)
    valid = np.zeros_like(held_out)
    for group, out in enumerate(held_out):
        inside = np.flatnonzero(~out)
        valid[group, inside] = stratified_holdout(outcomes, rows[inside], size=validation_size, seed=seed)
    calibration_folds = cross_fitting_folds(outcomes, np.asarray(split.calibration), num_folds, seed)
    return Groups(rows, folds, ~held_out & ~valid, valid, held_out, calibration_folds)
