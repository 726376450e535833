"""Platt scaling: sigmoid(a z + b) per target, a >= 0, fitted on float outcomes."""

from typing import Any, Self

import numpy as np

from prefillroute.calibration.contract import Calibrator, sigmoid
from prefillroute.calibration.newton import fit_slopes


class PlattCalibrator(Calibrator):
    """Maximum likelihood of sigmoid(a z + b). a >= 0, so that calibration never turns a ranking round: where
    the best slope is negative, every row gets the target's base rate. Where no finite optimum exists (all
    right, all wrong, perfectly separated), Platt's own smoothed outcomes are used. A target without outcomes
    keeps sigmoid(z).
    """

    name = "platt"

    def fit(self, z: np.ndarray, correct: np.ndarray) -> Self:
        """Newton's method, all targets together."""
        self.slope_, self.offset_ = fit_slopes(z, correct, with_offset=True)
        return self

    def transform(self, z: np.ndarray) -> np.ndarray:
        """sigmoid(a z + b)."""
        return sigmoid(self.slope_ * np.asarray(z, dtype=np.float64) + self.offset_)

    def parameters(self) -> dict[str, Any]:
        """`slope` and `offset`, one per target."""
        return {"slope": self.slope_.tolist(), "offset": self.offset_.tolist()}

    def restore(self, slope: list[float], offset: list[float]) -> Self:
        """Take `parameters` back."""
        self.slope_, self.offset_ = np.array(slope, dtype=np.float64), np.array(offset, dtype=np.float64)
        return self
