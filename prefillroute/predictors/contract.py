"""What every predictor does: how it is trained, and what remains after training.

N = training rows, P = calibration and test rows, M = targets.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from prefillroute.calibration.contract import Calibrator
from prefillroute.layers.choice import LayerChoice
from prefillroute.readings.contract import Readings
from prefillroute.spec import Stored

Node = Mapping[str, Any]
"""A choice node of the configuration: `_target_` and hyper-parameters."""


class Predictor(Stored, ABC):
    """A trained predictor: it maps readings to logits, one for each target."""

    @abstractmethod
    def logits(self, readings: Readings) -> np.ndarray:
        """Logits z (N, M) float64 of N queries, before the run's calibration.

        Raises:
            UserError: something that it reads is not known for these queries.
        """


@dataclass(frozen=True)
class Logits:
    """Logits z float64 before calibration."""

    out_of_fold: np.ndarray | None
    """(N, M), each row predicted by the group that never saw it; None if the split has a calibration part."""
    predict: np.ndarray
    """(P, M), each row predicted by the final fit."""


@dataclass(frozen=True)
class Prediction:
    """The result of training: the logits of all rows, and a predictor for new ones."""

    logits: Logits
    predictor: Predictor
    choice: LayerChoice | None
    """The layers that were chosen; None for a predictor without layers, and for an average of several."""
    seconds: Mapping[str, float]
    """Wall seconds taken to make features and head."""
    fits: int
    """Number of nets, forests or regressions trained: groups x members, times targets if every target has its own."""
    work: int | None = None
    """Trained parameters x rows x epochs, summed over nets; None if a head was solved without epochs."""
    history: Sequence[Mapping[str, float]] = ()
    """The logged values of each epoch of the head that the run's logger follows."""


class Workshop(Protocol):
    """What a run offers to its predictor while it is trained."""

    def predict(self, signal: Node, head: Node, logged: bool = False) -> Prediction:
        """Train a head on a signal, and predict all rows.

        Args:
            signal, head: choice nodes.
            logged: whether the run's logger gets the losses of every epoch. It can follow one head only.
        """

    def calibrated(self, calibration: Node, logits: Logits) -> tuple[Calibrator, np.ndarray, np.ndarray]:
        """A calibrator fitted on rows that the nets have not seen, and confidences of those and of the test rows."""


class Recipe(ABC):
    """A choice of the group `predictor`, which says how a run trains its predictor."""

    @abstractmethod
    def train(self, workshop: Workshop) -> Prediction:
        """Train on the run's data.

        Raises:
            UserError: the parts do not fit together, or something that they read is missing.
        """
