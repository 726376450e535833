"""Percentile calibration: the mean outcome of the calibration rows that rank near z, per target."""

from typing import Self

import numpy as np

from prefillroute.calibration.contract import Calibrator, observed, sigmoid
from prefillroute.errors import UserError


class PercentileCalibrator(Calibrator):
    """Mean outcome among the `share` of calibration rows nearest in rank (DESIGN section 7).

    With n rows, the window holds k = max(1, round(share * n)) of them. A value with l rows below it and e rows equal to
    it stands at rank l + e / 2; its window starts at round(rank - k / 2), moved inside [0, n - k]. Rows of equal z
    share their mean outcome, so that the result does not depend on their order. A target without outcomes keeps
    sigmoid(z).

    Args:
        share: share of the calibration rows in the window, in (0, 1].

    Raises:
        UserError: `share` is out of range.

    Example:
        >>> z, correct = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([[0.0], [0.0], [1.0], [1.0]])
        >>> PercentileCalibrator(share=0.5).fit(z, correct).transform(np.array([[3.0]]))
        array([[1.]])
    """

    cross_fit = True

    def __init__(self, share: float = 0.1) -> None:
        if not 0 < share <= 1:
            raise UserError(f"calibration.share: expected a number in (0, 1], found {share}")
        self.share = share

    def fit(self, z: np.ndarray, correct: np.ndarray) -> Self:
        """Sort each target's rows."""
        ranked = [_ranked(own, outcome) for own, outcome in observed(z, correct)]
        self.sorted_, self.outcome_ = tuple(own for own, _ in ranked), tuple(outcome for _, outcome in ranked)
        return self

    def transform(self, z: np.ndarray) -> np.ndarray:
        """Return the window means."""
        z = np.asarray(z, dtype=np.float64)
        pairs = zip(self.sorted_, self.outcome_, strict=True)
        return np.stack(
            [self._window(z[:, m], own, outcome) for m, (own, outcome) in enumerate(pairs)], axis=1
        )

    def _window(self, z: np.ndarray, own: np.ndarray, outcome: np.ndarray) -> np.ndarray:
        rows = len(own)
        if rows == 0:
            return sigmoid(z)
        size = max(1, round(self.share * rows))
        rank = (np.searchsorted(own, z, side="left") + np.searchsorted(own, z, side="right")) / 2
        start = np.clip(np.rint(rank - size / 2), 0, rows - size).astype(np.int64)
        total = np.concatenate([[0.0], np.cumsum(outcome)])
        return np.clip((total[start + size] - total[start]) / size, 0.0, 1.0)


def _ranked(own: np.ndarray, outcome: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One target's z in order, and the outcome of each, the mean where z are equal."""
    places, index, count = np.unique(own, return_inverse=True, return_counts=True)
    mean = np.bincount(index, weights=outcome) / count if len(own) else own
    return np.repeat(places, count), np.repeat(mean, count)
