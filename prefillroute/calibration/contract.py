"""The interface of every calibrator: it maps ensemble logits z to confidences, one target at a time."""

from abc import ABC, abstractmethod
from typing import ClassVar, Self

import numpy as np

from prefillroute.errors import UserError
from prefillroute.spec import Stored
from prefillroute.variants import module_name


class Calibrator(Stored, ABC):
    """A calibrator is fitted on rows that the nets have not seen; after that it is a function of z alone.

    What `fit` learns is kept in attributes that end in an underscore, as arrays or as tuples with one array for each
    target; a router bundle stores those and the constructor's arguments.

    `cross_fit` is true where fitted values follow single rows so closely that rows used for fitting need
    `cross_fitted`. `calibrated` is true where the result is meant as a probability; otherwise its Brier score is
    printed as uncalibrated.

    Example:
        >>> from prefillroute.calibration.platt import PlattCalibrator
        >>> from prefillroute.spec import restore, store
        >>> calibrator = PlattCalibrator().fit(np.array([[-1.0], [0.0], [1.0]]), np.array([[0.0], [1.0], [1.0]]))
        >>> restore(*store(calibrator), Calibrator).slope_ == calibrator.slope_
        array([ True])
    """

    cross_fit: ClassVar[bool] = False
    calibrated: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """As in `conf/calibration`, for metrics.json and the report."""
        return module_name(type(self))

    @abstractmethod
    def fit(self, z: np.ndarray, correct: np.ndarray) -> Self:
        """Learn from z (N, M) and outcomes (N, M) in [0, 1], NaN = missing; each target is fitted separately.

        Raises:
            UserError: a z is not finite.
        """

    @abstractmethod
    def transform(self, z: np.ndarray) -> np.ndarray:
        """Return the confidences (N, M) in [0, 1] of z (N, M), float64."""


def sigmoid(z: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-z)), computed without overflow."""
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, small) / (1.0 + small)


def observed(z: np.ndarray, correct: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return, for each target, z and the outcomes of the rows that have one, float64.

    Raises:
        UserError: a z is not finite.
    """
    z, correct = np.asarray(z, dtype=np.float64), np.asarray(correct, dtype=np.float64)
    assert z.shape == correct.shape, (z.shape, correct.shape)
    if not np.isfinite(z).all():
        row, target = np.argwhere(~np.isfinite(z))[0]
        raise UserError(
            f"calibration: logit of row {row}, target {target}: expected a finite number, found {z[row, target]}"
        )
    seen = ~np.isnan(correct)
    return [(z[seen[:, m], m], correct[seen[:, m], m]) for m in range(z.shape[1])]
