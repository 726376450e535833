"""Confidences for the rows on which a calibrator is fitted (DESIGN section 7)."""

import copy

import numpy as np

from prefillroute.calibration.contract import Calibrator


def cross_fitted(calibrator: Calibrator, z: np.ndarray, correct: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Confidences (N, M) of the rows that the calibrator learns from; each fold is calibrated by a copy fitted on the
    other folds.

    Args:
        calibrator: carries the hyper-parameters and is not changed.
        z, correct: (N, M), outcomes in [0, 1], NaN = missing.
        folds: (N,) int, at least two different values.

    Example:
        >>> from prefillroute.calibration.percentile import PercentileCalibrator
        >>> z, correct = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([[0.0], [1.0], [1.0], [1.0]])
        >>> cross_fitted(PercentileCalibrator(share=1.0), z, correct, np.array([0, 0, 1, 1])).ravel()
        array([1. , 1. , 0.5, 0.5])
    """
    values = np.unique(folds)
    assert len(values) >= 2, "cross-fitting needs two folds"
    confidence = np.empty(z.shape, dtype=np.float64)
    for fold in values:
        held = folds == fold
        confidence[held] = copy.deepcopy(calibrator).fit(z[~held], correct[~held]).transform(z[held])
    return confidence
