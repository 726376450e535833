"""The fixed points of accuracy-cost space: every single target, the oracle, and the Pareto-optimal targets."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from prefillroute.metrics.masked_mean import weighted_mean
from prefillroute.metrics.ratio import NOTHING

# N = queries, M = targets, B = resamples (1 for the sample itself)


def oracle_choice(correct: np.ndarray, cost_usd: np.ndarray) -> np.ndarray:
    """Choose per query the cheapest target with the greatest outcome (the cheapest of all where that is 0).

    Args:
        correct: (N, M) complete outcomes; cost_usd: (N, M) estimated costs.

    Returns:
        (N,) target indices; equal costs go to pool order.
    """
    greatest = correct == correct.max(axis=1, keepdims=True)
    return np.where(greatest, cost_usd, np.inf).argmin(axis=1)


@dataclass(frozen=True)
class PoolPoints:
    """Mean cost (USD per query) and accuracy of every target and of the oracle, under B sets of query weights."""

    cost: np.ndarray
    """(B, M)"""
    accuracy: np.ndarray
    """(B, M)"""
    oracle_cost: np.ndarray
    """(B,)"""
    oracle_accuracy: np.ndarray
    """(B,)"""

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
        return self.cost.argmin(axis=1)

    @cached_property
    def dearest(self) -> np.ndarray:
        """(B,) target of greatest mean cost; ties go to pool order."""
        return self.cost.argmax(axis=1)

    @cached_property
    def best(self) -> np.ndarray:
        """(B,) most accurate target; ties go to the cheaper, then pool order."""
        most = self.accuracy >= self.accuracy.max(axis=1, keepdims=True) - NOTHING
        return np.where(most, self.cost, np.inf).argmin(axis=1)

    def cost_of(self, target: np.ndarray) -> np.ndarray:
        """(B,) mean cost of one target per resample, e.g. ``points.cost_of(points.best)``."""
        return np.take_along_axis(self.cost, target[:, None], axis=1)[:, 0]

    def accuracy_of(self, target: np.ndarray) -> np.ndarray:
        """(B,) accuracy of one target per resample."""
        return np.take_along_axis(self.accuracy, target[:, None], axis=1)[:, 0]

    @cached_property
    def pareto(self) -> np.ndarray:
        """(B, M) true for targets that no other one matches in cost and accuracy and beats in one of them."""
        cost, accuracy = self.cost[:, :, None], self.accuracy[:, :, None]  # axis 1: judged, axis 2: rival
        rival_cost, rival_accuracy = self.cost[:, None, :], self.accuracy[:, None, :]
        no_worse = (rival_cost <= cost) & (rival_accuracy >= accuracy)
        better = (rival_cost < cost) | (rival_accuracy > accuracy)
        dominated = np.any(no_worse & better, axis=2)
        return np.logical_not(dominated)
