"""Several signals side by side, with or without prefill."""

from collections.abc import Mapping

import numpy as np

from prefillroute.errors import UserError
from prefillroute.heads.layout import NODES, NUMBERS, TOKEN_IDS, Layout
from prefillroute.layers.choice import LayerChoice
from prefillroute.readings.contract import Reading, Readings
from prefillroute.signals.contract import Fitting, Signal

# G = groups, N = queries, M = targets

ALONE = (NODES, TOKEN_IDS)
"""Kinds of features that cannot be combined with other columns."""


class UnionSignal(Signal):
    """The common columns of all parts, followed for each target by the columns that the parts have for it.

    Args:
        parts: the signals by name, in order.

    Raises:
        UserError: there are fewer than two parts.
    """

    def __init__(self, parts: Mapping[str, Signal]) -> None:
        if len(parts) < 2:
            raise UserError(f"signal.parts: expected at least two signals, found {len(parts)}")
        self.parts = dict(parts)

    def columns(self) -> tuple[str, ...]:
        """The columns that any part reads."""
        return tuple(dict.fromkeys(name for part in self.parts.values() for name in part.columns()))

    def reads(self) -> tuple[Reading, ...]:
        """The readings that any part needs."""
        return tuple(dict.fromkeys(reading for part in self.parts.values() for reading in part.reads()))

    def fit_transform(self, readings: Readings, fitting: Fitting) -> np.ndarray:
        """Features (G, N, D) float32.

        Raises:
            UserError: a part has features that cannot be combined with other columns.
        """
        self.num_targets_ = fitting.correct.shape[1]
        features = []
        for name, part in self.parts.items():
            features.append(part.fit_transform(readings, fitting))
            if part.layout_.content in ALONE:
                raise UserError(
                    f"signal.parts.{name}: expected columns that can stand beside others, found "
                    f"{part.layout_.content}"
                )
        layouts = [part.layout_ for part in self.parts.values()]
        self.layout_ = Layout(
            sum(layout.width for layout in layouts),
            own=tuple(name for layout in layouts for name in layout.own),
            content=NUMBERS,
            extras=tuple(name for layout in layouts for name in layout.extras),
        )
        return self._joined(features)

    def transform(self, readings: Readings) -> np.ndarray:
        """Features (N, D) float32 of new queries under group 0."""
        return self._joined([part.transform(readings) for part in self.parts.values()])

    def extras(self, readings: Readings) -> Mapping[str, np.ndarray]:
        """The extras of all parts."""
        found: dict[str, np.ndarray] = {}
        for part in self.parts.values():
            found |= part.extras(readings)
        return found

    @property
    def layer_choice(self) -> LayerChoice | None:  # type: ignore[override]
        """The layer choice of the first part that has one."""
        choices = (part.layer_choice for part in self.parts.values())
        return next((choice for choice in choices if choice is not None), None)

    def _joined(self, features: list[np.ndarray]) -> np.ndarray:
        common, own = [], []
        for part, columns in zip(self.parts.values(), features, strict=True):
            split = part.layout_.common(self.num_targets_)
            common.append(columns[..., :split])
            shape = (*columns.shape[:-1], self.num_targets_, len(part.layout_.own))
            own.append(columns[..., split:].reshape(shape))
        by_target = np.concatenate(own, axis=-1)  # (..., M, own)
        return np.concatenate([*common, by_target.reshape(*by_target.shape[:-2], -1)], axis=-1)
