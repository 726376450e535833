"""The query's category, one-hot: what a router knows that has only the label on the box."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from prefillroute.signals.inputs import SignalInputs


class CategorySignal:
    """One column per category of the training rows of any group; an unknown category is all zeros."""

    needs_activations = False

    def __init__(self) -> None:
        self.categories_: tuple[str, ...] = ()

    def fit_transform(self, inputs: SignalInputs, masks: np.ndarray) -> np.ndarray:
        """(G, N, D) float32. Columns are common to all groups; a category that a group never saw is zero
        there.
        """
        training = masks.any(0)
        self.categories_ = tuple(sorted(set(inputs.categories[training].tolist())))
        features = np.repeat(self.transform(inputs)[None], len(masks), axis=0)
        for group, mask in enumerate(masks):
            features[group] *= features[group][mask].any(0)
        return features

    def transform(self, inputs: SignalInputs) -> np.ndarray:
        """(N, D) float32."""
        known = np.asarray(self.categories_, dtype=object)
        return (inputs.categories.astype(object)[:, None] == known[None, :]).astype(np.float32)

    def describe(self) -> dict[str, Any]:
        """Kind and categories, in column order."""
        return {"kind": "category", "categories": list(self.categories_)}

    def state(self) -> dict[str, Tensor]:
        """Nothing: the description holds it all."""
        return {}

    @classmethod
    def from_state(cls, description: Mapping[str, Any], state: Mapping[str, Tensor]) -> "CategorySignal":
        """Inverse of `describe`."""
        signal = cls()
        signal.categories_ = tuple(description["categories"])
        return signal
