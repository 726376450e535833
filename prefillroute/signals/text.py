"""The query's text complexity: 30 handcrafted columns (paper, section 4.2)."""

import numpy as np

from prefillroute.semantic.text.features import text_features
from prefillroute.signals.inputs import SignalInputs
from prefillroute.signals.normal_scores import NormalScores


class TextSignal:
    """`semantic.text.features.NAMES`, as normal scores among the training rows."""

    needs: frozenset[str] = frozenset()
    own_features = 0
    own_names: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.scores_: NormalScores | None = None

    def fit_transform(self, inputs: SignalInputs, masks: np.ndarray) -> np.ndarray:
        """(G, N, 30) float32."""
        assert inputs.prompts is not None, "the text signal reads prompts"
        raw = text_features(inputs.prompts)
        fitted = [NormalScores().fit(raw[mask]) for mask in masks]
        self.scores_ = fitted[0]
        return np.stack([scores.transform(raw) for scores in fitted])

    def transform(self, inputs: SignalInputs) -> np.ndarray:
        """(N, 30) float32."""
        assert self.scores_ is not None, "fit first"
        assert inputs.prompts is not None, "the text signal reads prompts"
        return self.scores_.transform(text_features(inputs.prompts))
