"""A router on its test rows, with everything computed that does not change when queries are reweighted."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from prefillroute.errors import UserError
from prefillroute.routing.frontier import Frontier, exact_frontier
from prefillroute.routing.guard import GUARD, Evidence, LambdaChoice, choose_lambdas
from prefillroute.routing.lambda_sweep import GRID_SIZE, uniform_sweep
from prefillroute.routing.policies.lambda_policy import LambdaPolicy
from prefillroute.routing.table import ConfidenceTable

# N = test queries, C = those with every target's outcome, M = targets, G = grid points


@dataclass(frozen=True)
class Routed:
    """Where the test rows go at one setting that was fixed before they were seen."""

    target: np.ndarray
    """(N,)"""
    read: bool
    """Whether the router reads the queries for it; it does not where every query goes to one target anyway."""


@dataclass(frozen=True)
class Sample:
    """Test rows of one router, and the operating points that were chosen for it on other rows."""

    table: ConfidenceTable
    """All test rows (N)."""
    cost_range: tuple[float, float]
    """(c_lo, c_hi) over training queries x targets."""
    choice: LambdaChoice | None
    """The choice made on calibration or out-of-fold rows; None without such rows."""
    grid_size: int = GRID_SIZE

    @classmethod
    def prepare(
        cls,
        test: ConfidenceTable,
        choice_rows: ConfidenceTable,
        cost_range: tuple[float, float],
        grid_size: int = GRID_SIZE,
        guard: float = GUARD,
        best_single: int | None = None,
    ) -> "Sample":
        """Choose lambda on the complete queries of `choice_rows` and prepare the test rows.

        `guard` and `best_single` are passed to `choose_lambdas`.

        Raises:
            UserError: the choice rows carry no confidences.
        """
        whole = choice_rows.select(choice_rows.complete)
        if len(whole) == 0:
            return cls(test, cost_range, None, grid_size)
        if np.isnan(whole.confidence).any():
            raise UserError(
                f"confidence of query '{whole.query_id[0]}', target '{whole.targets[0]}': expected out-of-fold "
                "confidences, or rows with split 'calibration', to choose lambda on, found nan"
            )
        frontier = exact_frontier(whole.confidence, whole.cost_usd, whole.correct, cost_range)
        router_cost = float(whole.router_cost.mean())
        return cls(test, cost_range, choose_lambdas(frontier, guard, best_single, router_cost), grid_size)

    @cached_property
    def rows(self) -> np.ndarray:
        """(C,) row numbers of complete queries; all rows if there are none (they then carry no weight)."""
        complete = np.flatnonzero(self.table.complete)
        return complete if len(complete) else np.arange(len(self.table))

    @cached_property
    def confidence(self) -> np.ndarray:
        """(C, M)"""
        return self.table.confidence[self.rows]

    @cached_property
    def cost(self) -> np.ndarray:
        """(C, M) estimated USD."""
        return self.table.cost_usd[self.rows]

    @cached_property
    def correct(self) -> np.ndarray:
        """(C, M) outcomes."""
        return np.nan_to_num(self.table.correct[self.rows])

    @cached_property
    def frontier(self) -> Frontier:
        """The exact sweep over the complete queries."""
        return exact_frontier(self.confidence, self.cost, self.correct, self.cost_range)

    @cached_property
    def grid(self) -> tuple[np.ndarray, np.ndarray]:
        """Costs and outcomes (C, G) of the targets chosen on the uniform grid of lambda."""
        choice = uniform_sweep(self.confidence, self.cost, self.cost_range, self.grid_size)
        return np.take_along_axis(self.cost, choice, axis=1), np.take_along_axis(self.correct, choice, axis=1)

    @cached_property
    def at_lambda0(self) -> Routed:
        """The most confident target of every test row."""
        return self._routed(0.0)

    @cached_property
    def at_chosen(self) -> Routed | None:
        """Targets of all test rows at the chosen lambda; None where there was no row to choose it on."""
        return None if self.choice is None else self._guarded(self.choice.chosen, self.choice.fallback)

    @cached_property
    def at_best_single(self) -> Routed | None:
        """Targets at the lambda chosen for the best single target's accuracy; None where no lambda has it."""
        return (
            None if self.choice is None else self._guarded(self.choice.at_best_single, self.choice.fallback)
        )

    def _guarded(self, chosen: Evidence | None, fallback: int | None) -> Routed | None:
        if chosen is not None:
            return self._routed(chosen.lambda_)
        return None if fallback is None else Routed(np.full(len(self.table), fallback), read=False)

    def _routed(self, lambda_: float) -> Routed:
        policy = LambdaPolicy(lambda_)
        target = policy.choose(self.table.confidence, self.table.cost_usd, self.cost_range)
        return Routed(target, read=True)
