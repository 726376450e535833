"""The complexity of the query's text in 30 handcrafted columns (paper, section 4.2)."""

import numpy as np

from prefillroute.heads.layout import Layout
from prefillroute.readings.contract import Readings
from prefillroute.semantic.text.features import text_features
from prefillroute.signals.contract import Fitting, Signal
from prefillroute.signals.normal_scores import NormalScores


class TextSignal(Signal):
    """The text features `semantic.text.features.NAMES`, as normal scores among the training rows."""

    def columns(self) -> tuple[str, ...]:
        """The column that holds the text."""
        return ("prompt",)

    def fit_transform(self, readings: Readings, fitting: Fitting) -> np.ndarray:
        """Features (G, N, 30) float32."""
        raw = text_features(readings.column("prompt"))
        fitted = [NormalScores().fit(raw[mask]) for mask in fitting.masks]
        self.scores_, self.layout_ = fitted[0], Layout(raw.shape[1])
        return np.stack([scores.transform(raw) for scores in fitted])

    def transform(self, readings: Readings) -> np.ndarray:
        """Features (N, 30) float32 of new queries under group 0."""
        return self.scores_.transform(text_features(readings.column("prompt")))
