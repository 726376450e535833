"""Confidences for the rows on which a calibrator is fitted (DESIGN section 7)."""

import copy

import numpy as np

from prefillroute.calibration.contract import Calibrator


def cross_fitted(calibrator: Calibrator, z: np.ndarray, correct: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Confidences (N, M) of rows that the calibrator learns from: each fold by a copy fitted on the other
    folds.

    Args:
        calibrator: with its hyper-parameters; left as it is.
        z, correct: (N, M), outcomes in [0, 1], NaN = missing.
        folds: (N,) int, at least two different values.
    """
    values = np.unique(folds)
    assert len(values) >= 2, "cross-fitting needs two folds"
    confidence = np.empty(z.shape, dtype=np.float64)
    for fold in values:
        held = folds == fold
        confidence[held] = copy.deepcopy(calibrator).fit(z[~held], correct[~held]).transform(z[held])
    return confidence
