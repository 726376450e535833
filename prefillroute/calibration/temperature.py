"""Temperature scaling: sigmoid(z / T) per target."""

from typing import Self

import numpy as np

from prefillroute.calibration.contract import Calibrator, sigmoid
from prefillroute.calibration.newton import fit_slopes


class TemperatureCalibrator(Calibrator):
    """Fits sigmoid(a z), a = 1 / T >= 0, by maximum likelihood. It cannot correct a base rate; `platt` can.

    Example:
        >>> z, correct = np.array([[-1.0] * 4 + [1.0] * 4]).T, np.array([[0, 0, 0, 1, 0, 1, 1, 1.0]]).T
        >>> TemperatureCalibrator().fit(z, correct).transform(np.array([[-1.0], [1.0]])).round(3).ravel()
        array([0.25, 0.75])
    """

    def fit(self, z: np.ndarray, correct: np.ndarray) -> Self:
        """Fit all targets together by Newton's method."""
        self.slope_, _ = fit_slopes(z, correct, with_offset=False)
        return self

    def transform(self, z: np.ndarray) -> np.ndarray:
        """Return sigmoid(z / T)."""
        return sigmoid(self.slope_ * np.asarray(z, dtype=np.float64))
