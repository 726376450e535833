"""Percentile calibration: the mean outcome of the calibration rows that rank near z, per target."""

from typing import Any, Self

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

    name = "percentile"
    cross_fit = True

    def __init__(self, share: float = 0.1) -> None:
        if not 0 < share <= 1:
            raise UserError(f"calibration.share: expected a number in (0, 1], found {share}")
        self.share = share

    def hyper(self) -> dict[str, Any]:
        """`share`."""
        return {"share": self.share}

    def fit(self, z: np.ndarray, correct: np.ndarray) -> Self:
        """Sort each target's rows."""
        self.sorted_, self.outcome_ = [], []
        for own, outcome in observed(z, correct):
            places, index, count = np.unique(own, return_inverse=True, return_counts=True)
            mean = np.bincount(index, weights=outcome) / count if len(own) else own
            self.sorted_.append(np.repeat(places, count))
            self.outcome_.append(np.repeat(mean, count))
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

    def parameters(self) -> dict[str, Any]:
        """Return the sorted `z` and `outcome`, a list for each target."""
        return {"z": [v.tolist() for v in self.sorted_], "outcome": [v.tolist() for v in self.outcome_]}

    def restore(self, z: list[list[float]], outcome: list[list[float]]) -> Self:
        """Restore what `parameters` returned."""
        self.sorted_ = [np.array(v, dtype=np.float64) for v in z]
        self.outcome_ = [np.array(v, dtype=np.float64) for v in outcome]
        return self
