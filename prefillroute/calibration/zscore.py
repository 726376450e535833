"""Z-scores: where a query stands among the calibration queries, per target. They are not probabilities."""

from typing import Self

import numpy as np

from prefillroute.calibration.contract import Calibrator, observed, sigmoid


class ZScoreCalibrator(Calibrator):
    """Returns sigmoid((z - mean) / standard deviation).

    This puts all targets on one scale and discards how good each of them is. The values of outcomes are not read, but
    rows without an outcome are left out. Where all z are equal, the deviation is taken to be 1.

    Example:
        >>> ZScoreCalibrator().fit(np.array([[0.0], [2.0]]), np.ones((2, 1))).transform(np.array([[1.0]]))
        array([[0.5]])
    """

    calibrated = False

    def fit(self, z: np.ndarray, correct: np.ndarray) -> Self:
        """Learn the mean and the deviation of each target's rows."""
        columns = [own for own, _ in observed(z, correct)]
        self.mean_ = np.array([own.mean() if len(own) else 0.0 for own in columns])
        spread = np.array([own.std() if len(own) else 1.0 for own in columns])
        self.deviation_ = np.where(spread > 1e-12 * np.maximum(1.0, np.abs(self.mean_)), spread, 1.0)
        return self

    def transform(self, z: np.ndarray) -> np.ndarray:
        """Return the sigmoid of the standardised z."""
        return sigmoid((np.asarray(z, dtype=np.float64) - self.mean_) / self.deviation_)
