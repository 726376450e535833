"""Isotonic regression: the best non-decreasing step function of z, per target."""

from typing import Self

import numpy as np
from scipy.optimize import isotonic_regression

from prefillroute.calibration.contract import Calibrator, observed, sigmoid


class IsotonicCalibrator(Calibrator):
    """Least squares under monotonicity, linear between the steps and constant beyond the ends, as in scikit-learn with
    clipping.

    A target without outcomes keeps sigmoid(z).

    Example:
        >>> calibrator = IsotonicCalibrator().fit(np.array([[0.0], [1.0], [2.0]]), np.array([[0.0], [1.0], [0.0]]))
        >>> calibrator.transform(np.array([[2.0]]))
        array([[0.5]])
    """

    cross_fit = True

    def fit(self, z: np.ndarray, correct: np.ndarray) -> Self:
        """Pool adjacent violators; rows of equal z count as one with their mean outcome."""
        steps = [_steps(own, outcome) for own, outcome in observed(z, correct)]
        self.knots_, self.values_ = tuple(knots for knots, _ in steps), tuple(values for _, values in steps)
        return self

    def transform(self, z: np.ndarray) -> np.ndarray:
        """Interpolate between the fitted steps."""
        z = np.asarray(z, dtype=np.float64)
        columns = [
            np.interp(z[:, m], knots, values) if len(knots) else sigmoid(z[:, m])
            for m, (knots, values) in enumerate(zip(self.knots_, self.values_, strict=True))
        ]
        return np.stack(columns, axis=1)


def _steps(own: np.ndarray, outcome: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Knots and values of one target's function, both empty where it has no outcome."""
    places, index, count = np.unique(own, return_inverse=True, return_counts=True)
    if len(places) == 0:
        return places, places
    mean = np.bincount(index, weights=outcome) / count
    value = np.clip(isotonic_regression(mean, weights=count.astype(np.float64)).x, 0.0, 1.0)
    # Only the ends of each level are needed for linear interpolation.
    edge = np.ones(len(value), dtype=bool)
    edge[1:-1] = (value[1:-1] != value[:-2]) | (value[1:-1] != value[2:])
    return places[edge], value[edge]
