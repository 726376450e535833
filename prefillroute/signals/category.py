"""The query's category or benchmark as a one-hot vector: all that a router knows if it reads no text."""

import numpy as np

from prefillroute.errors import UserError
from prefillroute.heads.layout import LABELS, Layout
from prefillroute.readings.contract import COLUMNS, Readings
from prefillroute.signals.contract import Fitting, Signal

LABEL_COLUMNS = tuple(name for name in COLUMNS if name != "prompt")


class CategorySignal(Signal):
    """One column per label of the training rows of any group; an unknown label is all zeros.

    Args:
        column: a column of the query table, one of `LABEL_COLUMNS`.

    Raises:
        UserError: `column` is not one of these.
    """

    def __init__(self, column: str = "category") -> None:
        if column not in LABEL_COLUMNS:
            raise UserError(f"signal.column: expected one of {', '.join(LABEL_COLUMNS)}, found {column!r}")
        self.column = column
        self.categories_: tuple[str, ...] = ()

    def columns(self) -> tuple[str, ...]:
        """The column of labels."""
        return (self.column,)

    def fit_transform(self, readings: Readings, fitting: Fitting) -> np.ndarray:
        """Features (G, N, D) float32. All groups have the same columns; labels that a group never saw are 0 there."""
        masks = fitting.masks
        self.categories_ = tuple(sorted(set(readings.column(self.column)[masks.any(0)].tolist())))
        self.layout_ = Layout(len(self.categories_), content=LABELS)
        features = np.repeat(self.transform(readings)[None], len(masks), axis=0)
        for group, mask in enumerate(masks):
            features[group] *= features[group][mask].any(0)
        return features

    def transform(self, readings: Readings) -> np.ndarray:
        """Features (N, D) float32 of new queries."""
        known = np.asarray(self.categories_, dtype=object)
        labels = readings.column(self.column).astype(object)
        return (labels[:, None] == known[None, :]).astype(np.float32)
