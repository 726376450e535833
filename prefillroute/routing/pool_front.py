"""Which targets of a pool are worth having: the Pareto front, and the corners of the best static mixtures."""

from dataclasses import dataclass

import numpy as np

from prefillroute.metrics.hull_gain import concave_hull
from prefillroute.metrics.pool_points import PoolPoints

# M = targets


@dataclass(frozen=True)
class PoolFront:
    """Where each of M targets stands in the plane of mean cost and accuracy (DESIGN section 5)."""

    pareto: np.ndarray
    """(M,) bool: no other target is at least as cheap and as accurate and better in one of the two; includes all
    equals."""
    corner: np.ndarray
    """(M,) bool: at a corner of the concave hull, and so part of a best static mixture."""
    placed: np.ndarray
    """(M,) bool: cost and accuracy are known; all other targets are neither on the front nor at a corner."""

    @property
    def dominated(self) -> np.ndarray:
        """(M,) bool: placed, but not on the Pareto front."""
        return self.placed & ~self.pareto


def pool_front(cost_usd: np.ndarray, accuracy: np.ndarray) -> PoolFront:
    """Place the targets by mean cost (M,) and accuracy (M,); NaN where a value is unknown.

    Example:
        >>> front = pool_front(np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.4, 0.9]))
        >>> front.pareto, front.dominated
        (array([ True, False,  True]), array([False,  True, False]))
    """
    placed = ~(np.isnan(cost_usd) | np.isnan(accuracy))
    pareto, corner = np.zeros(len(placed), dtype=bool), np.zeros(len(placed), dtype=bool)
    if placed.any():
        cost, right = cost_usd[placed], accuracy[placed]
        nowhere = np.full(1, np.nan)
        own = np.column_stack([cost, right])
        pareto[placed] = _among(own, own[PoolPoints(cost[None], right[None], nowhere, nowhere).pareto[0]])
        corner[placed] = _among(own, np.column_stack(concave_hull(cost, right)))
    return PoolFront(pareto, corner, placed)


def _among(points: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(M,) bool: true for the points (M, 2) that coincide with one of the chosen points (H, 2)."""
    return np.isclose(points[:, None], chosen[None], rtol=1e-9, atol=0).all(axis=2).any(axis=1)
