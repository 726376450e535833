"""What every signal is given, and what every signal promises."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from prefillroute.layers.choice import LayerChoice
from prefillroute.layers.source import ActivationSource

NEEDS = ("activations", "embedding", "perplexity")
"""What a run has to open for a signal that asks for it; everything else comes with the outcome table."""


@dataclass(frozen=True)
class SignalInputs:
    """N queries, as signals see them; a signal reads what it needs."""

    categories: np.ndarray
    """(N,) str."""
    activations: Mapping[str, ActivationSource] = field(default_factory=dict)
    """Encoder to the activations of the N queries."""
    choices: tuple[LayerChoice, ...] = ()
    """Layer choice of every group, or one for all; only fitting needs it."""
    benchmarks: np.ndarray | None = None
    """(N,) str."""
    prompts: np.ndarray | None = None
    """(N,) str, the bare queries."""
    embedding: np.ndarray | None = None
    """(N, d) float32 by the run's embedder."""
    perplexity: np.ndarray | None = None
    """(N, 4) float32 by the run's language model."""
    correct: np.ndarray | None = None
    """(N, M) float in [0, 1], NaN = missing; only fitting gets it, and group g may look at the rows of `masks[g]`."""
    groups: np.ndarray | None = None
    """(N,) int: queries of one group are duplicates (`outcomes.groups`), and none may be told another's outcomes;
    None: no query has a duplicate. Only fitting gets it."""
    threshold: float = 0.5
    """Least outcome that counts as right."""


class Signal(Protocol):
    """Turns queries into features. Group 0 is the final fit on all training rows, the others are the
    folds.
    """

    needs: frozenset[str]
    """Which of `NEEDS`."""
    own_features: int
    """The last M * own_features columns belong to the targets one by one; 0 where all columns are common."""
    own_names: tuple[str, ...]
    """What those columns are, per target."""

    def fit_transform(self, inputs: SignalInputs, masks: np.ndarray) -> np.ndarray:
        """Features (G, N, D) float32 of all N rows; group g is fitted on the rows of `masks[g]` (G, N) bool
        only.
        """

    def transform(self, inputs: SignalInputs) -> np.ndarray:
        """Features (N, D) float32 under group 0, for new queries."""
