"""Several signals side by side, with or without prefill."""

from collections.abc import Mapping

import numpy as np

from prefillroute.errors import UserError
from prefillroute.signals.inputs import Signal, SignalInputs

# G = groups, N = queries, M = targets


class UnionSignal:
    """The common columns of all parts, then for each target what the parts have for that target.

    Args:
        parts: name to signal, in order.

    Raises:
        UserError: fewer than two parts.
    """

    def __init__(self, parts: Mapping[str, Signal]) -> None:
        if len(parts) < 2:
            raise UserError(f"signal.parts: expected at least two signals, found {len(parts)}")
        self.parts = dict(parts)
        self.needs = frozenset().union(*(part.needs for part in self.parts.values()))
        self.own_features = sum(part.own_features for part in self.parts.values())
        self.own_names = tuple(name for part in self.parts.values() for name in part.own_names)
        self._num_targets = 0

    def fit_transform(self, inputs: SignalInputs, masks: np.ndarray) -> np.ndarray:
        """(G, N, D) float32."""
        assert inputs.correct is not None, "fitting gets the outcomes"
        self._num_targets = inputs.correct.shape[1]
        return self._joined([part.fit_transform(inputs, masks) for part in self.parts.values()])

    def transform(self, inputs: SignalInputs) -> np.ndarray:
        """(N, D) float32 under group 0."""
        return self._joined([part.transform(inputs) for part in self.parts.values()])

    def _joined(self, features: list[np.ndarray]) -> np.ndarray:
        common, own = [], []
        for part, columns in zip(self.parts.values(), features, strict=True):
            split = columns.shape[-1] - self._num_targets * part.own_features
            common.append(columns[..., :split])
            shape = (*columns.shape[:-1], self._num_targets, part.own_features)
            own.append(columns[..., split:].reshape(shape))
        by_target = np.concatenate(own, axis=-1)  # (..., M, own)
        return np.concatenate([*common, by_target.reshape(*by_target.shape[:-2], -1)], axis=-1)
