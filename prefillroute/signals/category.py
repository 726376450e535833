"""The query's category or benchmark, one-hot: what a router knows that reads no text."""

import numpy as np

from prefillroute.errors import UserError
from prefillroute.heads.layout import LABELS, Layout
from prefillroute.readings.contract import COLUMNS, Readings
from prefillroute.signals.contract import Fitting, Signal

LABEL_COLUMNS = tuple(name for name in COLUMNS if name != "prompt")


class CategorySignal(Signal):
    """One column per label of the training rows of any group; an unknown label is all zeros.

    Args:
        column: of the query table, one of `LABEL_COLUMNS`.

    Raises:
        UserError: another column.
    """

    def __init__(self, column: str = "category") -> None:
        if column not in LABEL_COLUMNS:
            raise UserError(f"signal.column: expected one of {', '.join(LABEL_COLUMNS)}, found {column!r}")
        self.column = column
        self.categories_: tuple[str, ...] = ()

    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    def fit_transform(self, readings: Readings, fitting: Fitting) -> np.ndarray:
        """(G, N, D) float32. Columns are common to all groups; a label that a group never saw is zero
        there.
        """
        masks = fitting.masks
        self.categories_ = tuple(sorted(set(readings.column(self.column)[masks.any(0)].tolist())))
        self.layout_ = Layout(len(self.categories_), content=LABELS)
        features = np.repeat(self.transform(readings)[None], len(masks), axis=0)
        for group, mask in enumerate(masks):
            features[group] *= features[group][mask].any(0)
        return features

    def transform(self, readings: Readings) -> np.ndarray:
        """(N, D) float32."""
        known = np.asarray(self.categories_, dtype=object)
        labels = readings.column(self.column).astype(object)
        return (labels[:, None] == known[None, :]).astype(np.float32)
