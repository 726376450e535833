"""How hard a language model rates each query: soft labels for a head's second task (paper section 4.2)."""

from collections.abc import Mapping

import numpy as np

from prefillroute.heads.layout import Layout
from prefillroute.readings.contract import Reading, Readings
from prefillroute.semantic.language_model import COLUMNS, POOLING
from prefillroute.signals.contract import Fitting, Signal

DIFFICULTY = "difficulty"


class DifficultySignal(Signal):
    """A signal without columns: training is told the rated difficulty of its queries, and routing reads nothing.

    It is used beside another signal in a union.

    Args:
        language_model: name of the model that rates.
    """

    def __init__(self, language_model: str) -> None:
        self.language_model = language_model

    def reads(self) -> tuple[Reading, ...]:
        """The numbers of the language model."""
        return (Reading("language_model", self.language_model),)

    def fit_transform(self, readings: Readings, fitting: Fitting) -> np.ndarray:
        """Empty features (G, N, 0) float32."""
        self.layout_ = Layout(0, extras=(DIFFICULTY,))
        return np.empty((*fitting.masks.shape, 0), dtype=np.float32)

    def transform(self, readings: Readings) -> np.ndarray:
        """Empty features (N, 0) float32."""
        return np.empty((len(readings), 0), dtype=np.float32)

    def extras(self, readings: Readings) -> Mapping[str, np.ndarray]:
        """The rated `difficulty` (N,) in [0, 1], where 1 is hardest."""
        (reading,) = self.reads()
        return {DIFFICULTY: readings.source(reading).read(0, POOLING)[:, COLUMNS.index("rated_difficulty")]}
