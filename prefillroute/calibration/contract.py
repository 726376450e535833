"""What every calibrator is: ensemble logits z in, confidences out, each target on its own."""

import importlib
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np

from prefillroute.errors import UserError

NAMES = ("platt", "isotonic", "temperature", "percentile", "zscore", "none")


class Calibrator(ABC):
    """Fitted on rows that the nets have not seen; then a function of z alone.

    `cross_fit`: fitted values follow single rows closely enough that rows used for fitting need
    `cross_fitted`. `calibrated`: the result is meant as a probability; where False, its Brier score is
    printed as uncalibrated.
    """

    name: ClassVar[str]
    cross_fit: ClassVar[bool] = False
    calibrated: ClassVar[bool] = True

    @abstractmethod
    def fit(self, z: np.ndarray, correct: np.ndarray) -> Self:
        """Learn from z (N, M) and outcomes (N, M) in [0, 1], NaN = missing; each target by itself."""

    @abstractmethod
    def transform(self, z: np.ndarray) -> np.ndarray:
        """Confidences (N, M) in [0, 1] of z (N, M), float64."""

    @abstractmethod
    def parameters(self) -> dict[str, Any]:
        """What was learned, as plain lists; the keyword arguments of `restore`."""

    @abstractmethod
    def restore(self, *args: Any, **parameters: Any) -> Self:
        """Take `parameters` back."""

    def hyper(self) -> dict[str, Any]:
        """The constructor's arguments, as plain values."""
        return {}

    def state(self) -> dict[str, Any]:
        """Everything, as plain JSON values."""
        return {"name": self.name, "hyper": self.hyper(), "parameters": self.parameters()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The calibrator that `state` describes.

        Raises:
            UserError: the state is another calibrator's, or does not fit.
        """
        if state.get("name") != cls.name:
            raise UserError(f"calibration: the state is of {state.get('name')!r}, want {cls.name!r}")
        try:
            return cls(**state["hyper"]).restore(**state["parameters"])
        except (KeyError, TypeError) as error:
            raise UserError(f"calibration: the state of {cls.name!r} is damaged ({error})") from None


def load_calibrator(state: dict[str, Any]) -> Calibrator:
    """The calibrator that any ``Calibrator.state()`` describes.

    Raises:
        UserError: an unknown name, or a damaged state.
    """
    name = state.get("name")
    if name not in NAMES:
        raise UserError(f"calibration: name is {name!r}, want one of {', '.join(NAMES)}")
    module = importlib.import_module(f"prefillroute.calibration.{name}")
    (kind,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Calibrator) and getattr(value, "name", None) == name
    )
    return kind.from_state(state)


def sigmoid(z: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-z)) without overflow."""
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, small) / (1.0 + small)


def observed(z: np.ndarray, correct: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Per target, z and outcomes of the rows that have one, float64.

    Raises:
        UserError: z that is not finite.
    """
    z, correct = np.asarray(z, dtype=np.float64), np.asarray(correct, dtype=np.float64)
    assert z.shape == correct.shape, (z.shape, correct.shape)
    if not np.isfinite(z).all():
        row, target = np.argwhere(~np.isfinite(z))[0]
        raise UserError(
            f"calibration: logit of row {row}, target {target} is {z[row, target]}, want a finite number"
        )
    seen = ~np.isnan(correct)
    return [(z[seen[:, m], m], correct[seen[:, m], m]) for m in range(z.shape[1])]
