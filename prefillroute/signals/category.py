"""The query's category or benchmark, one-hot: what a router knows that has only the label on the box."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from prefillroute.errors import UserError
from prefillroute.heads.layout import LABELS
from prefillroute.signals.inputs import SignalInputs

COLUMNS = ("category", "benchmark")


class CategorySignal:
    """One column per label of the training rows of any group; an unknown label is all zeros.

    Args:
        column: of the query table, one of `COLUMNS`.

    Raises:
        UserError: another column.
    """

    needs: frozenset[str] = frozenset()
    own_features = 0
    own_names: tuple[str, ...] = ()
    content = LABELS

    def __init__(self, column: str = "category") -> None:
        if column not in COLUMNS:
            raise UserError(f"signal.column: expected one of {', '.join(COLUMNS)}, found {column!r}")
        self.column = column
        self.categories_: tuple[str, ...] = ()

    def fit_transform(self, inputs: SignalInputs, masks: np.ndarray) -> np.ndarray:
        """(G, N, D) float32. Columns are common to all groups; a label that a group never saw is zero
        there.
        """
        training = masks.any(0)
        self.categories_ = tuple(sorted(set(self._labels(inputs)[training].tolist())))
        features = np.repeat(self.transform(inputs)[None], len(masks), axis=0)
        for group, mask in enumerate(masks):
            features[group] *= features[group][mask].any(0)
        return features

    def transform(self, inputs: SignalInputs) -> np.ndarray:
        """(N, D) float32."""
        known = np.asarray(self.categories_, dtype=object)
        return (self._labels(inputs).astype(object)[:, None] == known[None, :]).astype(np.float32)

    def describe(self) -> dict[str, Any]:
        """Kind, column of the query table, and labels in the order of the features."""
        return {"kind": "category", "column": self.column, "categories": list(self.categories_)}

    def state(self) -> dict[str, Tensor]:
        """Nothing: the description holds it all."""
        return {}

    @classmethod
    def from_state(cls, description: Mapping[str, Any], state: Mapping[str, Tensor]) -> "CategorySignal":
        """Inverse of `describe`."""
        signal = cls(description["column"])
        signal.categories_ = tuple(description["categories"])
        return signal

    def _labels(self, inputs: SignalInputs) -> np.ndarray:
        labels = inputs.categories if self.column == "category" else inputs.benchmarks
        assert labels is not None, f"the run passes {self.column}"
        return labels
