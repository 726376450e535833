"""The usual predictor: one signal and one head."""

import numpy as np
import torch

from prefillroute.heads.contract import Head
from prefillroute.heads.ensemble import ensemble_logits
from prefillroute.predictors.contract import Node, Prediction, Predictor, Recipe, Workshop
from prefillroute.readings.contract import Readings
from prefillroute.signals.contract import Signal


class SinglePredictor(Predictor):
    """A predictor made of a fitted signal and the kept members of a head.

    Args:
        signal: a fitted signal.
        head: a head with one group and its kept members.
    """

    def __init__(self, signal: Signal, head: Head) -> None:
        self.signal, self.head = signal, head.eval()

    def logits(self, readings: Readings) -> np.ndarray:
        """See `Predictor.logits`."""
        features = torch.from_numpy(self.signal.transform(readings))
        return ensemble_logits(self.head, features[None])[0].numpy().astype(np.float64)


class Single(Recipe):
    """Trains the run's head on the run's signal.

    Args:
        signal, head: choice nodes.
    """

    def __init__(self, signal: Node, head: Node) -> None:
        self.signal, self.head = signal, head

    def train(self, workshop: Workshop) -> Prediction:
        """See `Recipe.train`."""
        return workshop.predict(self.signal, self.head, logged=True)
