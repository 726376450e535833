"""What a frozen language model makes of a query (paper section 4.2, "GPT-2 perplexity (4-d)")."""

import numpy as np

from prefillroute.signals.inputs import SignalInputs
from prefillroute.signals.normal_scores import NormalScores


class PerplexitySignal:
    """Mean log-probability, perplexity, greatest surprise and mean entropy as normal scores of each group's
    training rows: perplexities have tails of several decades.
    """

    needs = frozenset({"perplexity"})
    own_features = 0
    own_names: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.scores_: NormalScores | None = None

    def fit_transform(self, inputs: SignalInputs, masks: np.ndarray) -> np.ndarray:
        """(G, N, 4) float32."""
        values = _values(inputs)
        fitted = [NormalScores().fit(values[mask]) for mask in masks]
        self.scores_ = fitted[0]
        return np.stack([scores.transform(values) for scores in fitted])

    def transform(self, inputs: SignalInputs) -> np.ndarray:
        """(N, 4) float32 under group 0."""
        assert self.scores_ is not None, "fit first"
        return self.scores_.transform(_values(inputs))


def _values(inputs: SignalInputs) -> np.ndarray:
    assert inputs.perplexity is not None, "a signal that needs perplexity is given it"
    return inputs.perplexity
