"""No calibration: the ensemble's own probability is used."""

from typing import Self

import numpy as np

from prefillroute.calibration.contract import Calibrator, observed, sigmoid


class NoCalibrator(Calibrator):
    """Returns sigmoid(z), the mean of the kept members' sigmoids.

    Example:
        >>> NoCalibrator().transform(np.array([[0.0]]))
        array([[0.5]])
    """

    def fit(self, z: np.ndarray, correct: np.ndarray) -> Self:
        """Check z; there is nothing to learn."""
        observed(z, correct)
        return self

    def transform(self, z: np.ndarray) -> np.ndarray:
        """Return sigmoid(z)."""
        return sigmoid(np.asarray(z, dtype=np.float64))
