"""What every signal is given, and what every signal promises."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from prefillroute.layers.choice import LayerChoice
from prefillroute.layers.source import ActivationSource


@dataclass(frozen=True)
class SignalInputs:
    """N queries, as signals see them; a signal reads what it needs."""

    categories: np.ndarray
    """(N,) str."""
    activations: Mapping[str, ActivationSource] = field(default_factory=dict)
    """Encoder to the activations of the N queries."""
    choices: tuple[LayerChoice, ...] = ()
    """Layer choice of every group, or one for all; only fitting needs it."""


class Signal(Protocol):
    """Turns queries into features. Group 0 is the final fit on all training rows, the others are the
    folds.
    """

    needs_activations: bool
    """Whether a cache must exist and layers be chosen."""

    def fit_transform(self, inputs: SignalInputs, masks: np.ndarray) -> np.ndarray:
        """Features (G, N, D) float32 of all N rows; group g is fitted on the rows of `masks[g]` (G, N) bool
        only.
        """

    def transform(self, inputs: SignalInputs) -> np.ndarray:
        """Features (N, D) float32 under group 0, for new queries."""

    def describe(self) -> dict[str, Any]:
        """What group 0 learned, as plain JSON values."""

    def state(self) -> dict[str, Tensor]:
        """What group 0 learned, as tensors."""
