"""The interface of every calibrator: it maps ensemble logits z to confidences, one target at a time."""

import importlib
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np

from prefillroute.errors import UserError

NAMES = ("platt", "isotonic", "temperature", "percentile", "zscore", "none")


class Calibrator(ABC):
    """A calibrator is fitted on rows that the nets have not seen; after that it is a function of z alone.

    `cross_fit` is true where fitted values follow single rows so closely that rows used for fitting need
    `cross_fitted`. `calibrated` is true where the result is meant as a probability; otherwise its Brier score is
    printed as uncalibrated.
    """

    name: ClassVar[str]
    cross_fit: ClassVar[bool] = False
    calibrated: ClassVar[bool] = True

    @abstractmethod
    def fit(self, z: np.ndarray, correct: np.ndarray) -> Self:
        """Learn from z (N, M) and outcomes (N, M) in [0, 1], NaN = missing; each target is fitted separately."""

    @abstractmethod
    def transform(self, z: np.ndarray) -> np.ndarray:
        """Return the confidences (N, M) in [0, 1] of z (N, M), float64."""

    @abstractmethod
    def parameters(self) -> dict[str, Any]:
        """Return what was learned as plain lists: the keyword arguments of `restore`."""

    @abstractmethod
    def restore(self, *args: Any, **parameters: Any) -> Self:
        """Restore what `parameters` returned."""

    def hyper(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {}

    def state(self) -> dict[str, Any]:
        """Return the name, the constructor's arguments and what was learned, as plain JSON values."""
        return {"name": self.name, "hyper": self.hyper(), "parameters": self.parameters()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Build the calibrator that `state` describes.

        Raises:
            UserError: the state belongs to another calibrator, or is damaged.
        """
        if state.get("name") != cls.name:
            raise UserError(
                f"calibration: expected the state of {cls.name!r}, found that of {state.get('name')!r}"
            )
        try:
            return cls(**state["hyper"]).restore(**state["parameters"])
        except (KeyError, TypeError) as error:
            raise UserError(f"calibration: the state of {cls.name!r} is damaged ({error})") from None


def load_calibrator(state: dict[str, Any]) -> Calibrator:
    """Build the calibrator that any ``Calibrator.state()`` describes.

    Raises:
        UserError: the name is unknown, or the state is damaged.

    Example:
        >>> load_calibrator({"name": "none", "hyper": {}, "parameters": {}}).transform(np.array([[0.0]]))
        array([[0.5]])
    """
    name = state.get("name")
    if name not in NAMES:
        raise UserError(f"calibration.name: expected one of {', '.join(NAMES)}, found {name!r}")
    module = importlib.import_module(f"prefillroute.calibration.{name}")
    (kind,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Calibrator) and getattr(value, "name", None) == name
    )
    return kind.from_state(state)


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
