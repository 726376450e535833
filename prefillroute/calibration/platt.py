"""Platt scaling: sigmoid(a z + b) per target, a >= 0, fitted on float outcomes."""

from typing import Self

import numpy as np

from prefillroute.calibration.contract import Calibrator, sigmoid
from prefillroute.calibration.newton import fit_slopes


class PlattCalibrator(Calibrator):
    """Fits sigmoid(a z + b) by maximum likelihood.

    The slope a is never negative, so that calibration never reverses a ranking: where the best slope is negative,
    every row gets the target's base rate. Where no finite optimum exists (all right, all wrong, or perfectly
    separated), Platt's own smoothed outcomes are used. A target without outcomes keeps sigmoid(z).

    Example:
        >>> z, correct = np.array([[-1.0] * 4 + [1.0] * 4]).T, np.array([[0, 0, 0, 1, 0, 1, 1, 1.0]]).T
        >>> PlattCalibrator().fit(z, correct).transform(np.array([[-1.0], [1.0]])).round(3).ravel()
        array([0.25, 0.75])
    """

    def fit(self, z: np.ndarray, correct: np.ndarray) -> Self:
        """Fit all targets together by Newton's method."""
        self.slope_, self.offset_ = fit_slopes(z, correct, with_offset=True)
        return self

    def transform(self, z: np.ndarray) -> np.ndarray:
        """Return sigmoid(a z + b)."""
        return sigmoid(self.slope_ * np.asarray(z, dtype=np.float64) + self.offset_)
