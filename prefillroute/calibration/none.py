"""No calibration: the ensemble's own probability."""

from typing import Any, Self

import numpy as np

from prefillroute.calibration.contract import Calibrator, observed, sigmoid


class NoCalibrator(Calibrator):
    """sigmoid(z), the mean of the kept members' sigmoids."""

    name = "none"

    def fit(self, z: np.ndarray, correct: np.ndarray) -> Self:
        """Nothing to learn; z is checked all the same."""
        observed(z, correct)
        return self

    def transform(self, z: np.ndarray) -> np.ndarray:
        """sigmoid(z)."""
        return sigmoid(np.asarray(z, dtype=np.float64))

    def parameters(self) -> dict[str, Any]:
        """Empty."""
        return {}

    def restore(self) -> Self:
        """Take `parameters` back."""
        return self
