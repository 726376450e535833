"""The fixed points of accuracy-cost space: every single target, the oracle, and the Pareto-optimal targets."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from prefillroute.metrics.equal_costs import first_cheapest, level, level_costs
from prefillroute.metrics.masked_mean import weighted_mean
from prefillroute.metrics.ratio import NOTHING

# N = queries, M = targets, B = resamples (1 for the sample itself)


def oracle_choice(correct: np.ndarray, cost_usd: np.ndarray) -> np.ndarray:
    """Choose per query the cheapest target with the greatest outcome (the cheapest of all where that is 0).

    Args:
        correct: (N, M) complete outcomes; cost_usd: (N, M) estimated costs.

    Returns:
        (N,) target indices; ties in cost go to pool order.

    Example:
        >>> oracle_choice(np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[2.0, 1.0], [2.0, 1.0]]))
        array([0, 1])
    """
    greatest = correct == correct.max(axis=1, keepdims=True)
    return first_cheapest(cost_usd, greatest)


@dataclass(frozen=True)
class PoolPoints:
    """Mean cost (USD per query) and accuracy of every target and of the oracle, under B sets of query weights.

    Targets whose mean costs (or accuracies) are equal up to rounding hold one value, so that every comparison below,
    and every one that starts from these points, is exact.

    Example:
        >>> correct, cost_usd = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[2.0, 1.0], [2.0, 1.0]])
        >>> points = PoolPoints.from_outcomes(correct, cost_usd, np.ones((1, 2)))
        >>> points.best, points.oracle_cost
        (array([0]), array([1.5]))
    """

    cost: np.ndarray
    """(B, M), levelled by `level_costs`."""
    accuracy: np.ndarray
    """(B, M), levelled in the same way."""
    oracle_cost: np.ndarray
    """(B,)"""
    oracle_accuracy: np.ndarray
    """(B,)"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "cost", level_costs(self.cost))
        object.__setattr__(self, "accuracy", level(self.accuracy, NOTHING))

    @classmethod
    def from_outcomes(cls, correct: np.ndarray, cost_usd: np.ndarray, weights: np.ndarray) -> "PoolPoints":
        """Average complete outcomes (N, M) and estimated costs (N, M) with weights (B, N)."""
        rows = np.arange(len(correct))
        best = oracle_choice(correct, cost_usd)
        return cls(
            weighted_mean(cost_usd, weights),
            weighted_mean(correct, weights),
            weighted_mean(cost_usd[rows, best], weights),
            weighted_mean(correct[rows, best], weights),
        )

    @cached_property
    def cheapest(self) -> np.ndarray:
        """(B,) target of least mean cost; ties go to pool order."""
        return first_cheapest(self.cost)

    @cached_property
    def dearest(self) -> np.ndarray:
        """(B,) target of greatest mean cost; ties go to pool order."""
        return self.cost.argmax(axis=1)

    @cached_property
    def best(self) -> np.ndarray:
        """(B,) most accurate target; ties go to the cheaper target, then to pool order."""
        return first_cheapest(self.cost, self.accuracy >= self.accuracy.max(axis=1, keepdims=True))

    def cost_of(self, target: np.ndarray) -> np.ndarray:
        """(B,) mean cost of one target per resample, e.g. ``points.cost_of(points.best)``."""
        return np.take_along_axis(self.cost, target[:, None], axis=1)[:, 0]

    def accuracy_of(self, target: np.ndarray) -> np.ndarray:
        """(B,) accuracy of one target per resample."""
        return np.take_along_axis(self.accuracy, target[:, None], axis=1)[:, 0]

    @cached_property
    def pareto(self) -> np.ndarray:
        """(B, M) true for targets that no other target matches in both cost and accuracy and beats in one of them.

        Of targets that are equal in both, the first in pool order stands for all, so that the same target offered
        twice does not count twice.
        """
        cost, accuracy = self.cost[:, :, None], self.accuracy[:, :, None]  # axis 1: judged, axis 2: rival
        rival_cost, rival_accuracy = self.cost[:, None, :], self.accuracy[:, None, :]
        no_worse = (rival_cost <= cost) & (rival_accuracy >= accuracy)
        place = np.arange(self.cost.shape[1])
        better = (rival_cost < cost) | (rival_accuracy > accuracy) | (place[None, :] < place[:, None])
        dominated = np.any(no_worse & better, axis=2)
        return np.logical_not(dominated)
