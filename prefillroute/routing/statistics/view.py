"""What statistics look at: routers on the same test rows under B sets of query weights.

Whatever several statistics need is computed once per view, when the first of them asks for it.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from prefillroute.metrics.masked_mean import weighted_mean
from prefillroute.metrics.pool_points import PoolPoints
from prefillroute.routing.guard import LambdaChoice
from prefillroute.routing.lambda_sweep import best_point
from prefillroute.routing.sample import Routed, Sample
from prefillroute.routing.table import ConfidenceTable

# B = resamples, N = test queries, C = complete ones, M = targets, S = operating points, G = grid points

Value = TypeVar("Value")


class View:
    """Remembers what was computed on it."""

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}

    def once(self, compute: Callable[[Any], Value]) -> Value:
        """`compute(self)`, computed on the first call for that function only."""
        if compute not in self._known:
            self._known[compute] = compute(self)
        found: Value = self._known[compute]
        return found

    def __getitem__(self, statistic: Any) -> np.ndarray:
        """A statistic's values under these weights."""
        return self.once(statistic.compute)

    def adopt(self, statistic: Any, values: np.ndarray) -> None:
        """Take a statistic's values, which are already known, instead of computing them."""
        self._known[statistic.compute] = values


class PoolView(View):
    """The pool on the complete test queries, before any routing."""

    def __init__(self, sample: Sample, weights: np.ndarray, benchmark_choice: np.ndarray) -> None:
        super().__init__()
        self.sample = sample
        self.weights = weights[:, sample.rows] * sample.table.complete[sample.rows]
        """(B, C)"""
        self.benchmark_choice = benchmark_choice[sample.rows]
        """(C,) the best target of each query's benchmark in training."""

    @cached_property
    def points(self) -> PoolPoints:
        """Single targets and oracle."""
        return PoolPoints.from_outcomes(self.sample.correct, self.sample.cost, self.weights)

    def routed(self, choice: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean cost and accuracy (B,) of the targets (C,) that the complete queries go to."""
        rows = np.arange(len(choice))
        sample = self.sample
        return (
            weighted_mean(sample.cost[rows, choice], self.weights),
            weighted_mean(sample.correct[rows, choice], self.weights),
        )


class RouterView(View):
    """A router on its test rows."""

    def __init__(self, sample: Sample, weights: np.ndarray, pool: PoolView) -> None:
        super().__init__()
        self.sample, self.weights, self.pool = sample, weights, pool

    @property
    def table(self) -> ConfidenceTable:
        """All test rows (N); `weights` (B, N) belong to them."""
        return self.sample.table

    @property
    def choice(self) -> LambdaChoice | None:
        """The choice of lambda that was made without the test rows."""
        return self.sample.choice

    @property
    def points(self) -> PoolPoints:
        """Single targets and oracle."""
        return self.pool.points

    @cached_property
    def router_cost(self) -> np.ndarray:
        """(B,) mean USD of reading a query; every cost below includes it."""
        return weighted_mean(self.table.router_cost[self.sample.rows], self.pool.weights)

    def routed(self, where: Routed) -> tuple[np.ndarray, np.ndarray]:
        """Mean cost and accuracy (B,) at a setting that was fixed before the test rows were seen."""
        cost, accuracy = self.pool.routed(where.target[self.sample.rows])
        return (cost + self.router_cost if where.read else cost), accuracy

    @cached_property
    def swept(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean costs and accuracies (B, S) of the exact sweep, lambda rising."""
        cost, accuracy = self.sample.frontier.reweighted(self.pool.weights)
        return cost + self.router_cost[:, None], accuracy

    @cached_property
    def best(self) -> np.ndarray:
        """(B,) operating point of the sweep with the greatest accuracy on test, ties to lower cost."""
        return best_point(self.swept[1])

    @cached_property
    def gridded(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean costs and accuracies (B, G) on the uniform grid of lambda."""
        cost, correct = (weighted_mean(values, self.pool.weights) for values in self.sample.grid)
        return cost + self.router_cost[:, None], correct


class ContestView(View):
    """The router and the constant predictor under the same weights (B, N)."""

    def __init__(
        self, router: Sample, constant: Sample, benchmark_choice: np.ndarray, weights: np.ndarray
    ) -> None:
        super().__init__()
        self.pool = PoolView(router, weights, benchmark_choice)
        self.router = RouterView(router, weights, self.pool)
        self.constant = RouterView(constant, weights, self.pool)
