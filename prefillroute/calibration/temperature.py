"""Temperature scaling: sigmoid(z / T) per target."""

from typing import Any, Self

import numpy as np

from prefillroute.calibration.contract import Calibrator, sigmoid
from prefillroute.calibration.newton import fit_slopes


class TemperatureCalibrator(Calibrator):
    """Maximum likelihood of sigmoid(a z), a = 1 / T >= 0. It cannot mend a base rate; `platt` can."""

    name = "temperature"

    def fit(self, z: np.ndarray, correct: np.ndarray) -> Self:
        """Newton's method, all targets together."""
        self.slope_, _ = fit_slopes(z, correct, with_offset=False)
        return self

    def transform(self, z: np.ndarray) -> np.ndarray:
        """sigmoid(z / T)."""
        return sigmoid(self.slope_ * np.asarray(z, dtype=np.float64))

    def parameters(self) -> dict[str, Any]:
        """`slope` = 1 / T, one per target; 0 stands for an infinite temperature."""
        return {"slope": self.slope_.tolist()}

    def restore(self, slope: list[float]) -> Self:
        """Take `parameters` back."""
        self.slope_ = np.array(slope, dtype=np.float64)
        return self
