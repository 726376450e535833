"""What a frozen language model says of a query (paper section 4.2, "GPT-2 perplexity (4-d)")."""

import numpy as np

from prefillroute.heads.layout import Layout
from prefillroute.readings.contract import Reading, Readings
from prefillroute.semantic.language_model import NAMES, POOLING
from prefillroute.signals.contract import Fitting, Signal
from prefillroute.signals.normal_scores import NormalScores


class PerplexitySignal(Signal):
    """Mean log-probability, perplexity, greatest surprise and mean entropy, as normal scores among the training rows.

    Normal scores are used because the tails of perplexities span several decades. Each group has its own.
    """

    def __init__(self, language_model: str) -> None:
        """Take the name of the language model that reads the queries."""
        self.language_model = language_model

    def reads(self) -> tuple[Reading, ...]:
        """The numbers of the language model."""
        return (Reading("language_model", self.language_model),)

    def fit_transform(self, readings: Readings, fitting: Fitting) -> np.ndarray:
        """Features (G, N, 4) float32."""
        values = self._values(readings)
        fitted = [NormalScores().fit(values[mask]) for mask in fitting.masks]
        self.scores_, self.layout_ = fitted[0], Layout(values.shape[1])
        return np.stack([scores.transform(values) for scores in fitted])

    def transform(self, readings: Readings) -> np.ndarray:
        """Features (N, 4) float32 of new queries under group 0."""
        return self.scores_.transform(self._values(readings))

    def _values(self, readings: Readings) -> np.ndarray:
        (reading,) = self.reads()
        return readings.source(reading).read(0, POOLING)[:, : len(NAMES)]
