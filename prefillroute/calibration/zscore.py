"""Z-scores: where a query stands among the calibration queries, per target. A score, not a probability."""

from typing import Any, Self

import numpy as np

from prefillroute.calibration.contract import Calibrator, observed, sigmoid


class ZScoreCalibrator(Calibrator):
    """sigmoid((z - mean) / standard deviation). It puts all targets on one scale and forgets how good each of
    them is; outcomes are not read, rows without one are left out. All z equal: deviation 1.
    """

    name = "zscore"
    calibrated = False

    def fit(self, z: np.ndarray, correct: np.ndarray) -> Self:
        """Mean and deviation of each target's rows."""
        columns = [own for own, _ in observed(z, correct)]
        self.mean_ = np.array([own.mean() if len(own) else 0.0 for own in columns])
        spread = np.array([own.std() if len(own) else 1.0 for own in columns])
        self.deviation_ = np.where(spread > 1e-12 * np.maximum(1.0, np.abs(self.mean_)), spread, 1.0)
        return self

    def transform(self, z: np.ndarray) -> np.ndarray:
        """sigmoid of the standardised z."""
        return sigmoid((np.asarray(z, dtype=np.float64) - self.mean_) / self.deviation_)

    def parameters(self) -> dict[str, Any]:
        """`mean` and `deviation`, one per target."""
        return {"mean": self.mean_.tolist(), "deviation": self.deviation_.tolist()}

    def restore(self, mean: list[float], deviation: list[float]) -> Self:
        """Take `parameters` back."""
        self.mean_, self.deviation_ = np.array(mean, dtype=np.float64), np.array(deviation, dtype=np.float64)
        return self
