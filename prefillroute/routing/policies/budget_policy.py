"""Chooses the most confident target that a fixed price per query can buy."""

import numpy as np

from prefillroute.metrics.equal_costs import within
from prefillroute.routing.policies.contract import Parameter, Policy, check_within


class BudgetPolicy(Policy):
    """Chooses the most confident target whose estimated cost is within the budget, or the cheapest if none is.

    Args:
        budget_usd: USD per query, at least 0.

    Example:
        >>> confidence, cost_usd = np.array([[0.9, 0.7, 0.4]]), np.array([[0.03, 0.01, 0.002]])
        >>> BudgetPolicy(0.02).choose(confidence, cost_usd, (0.0, 0.03))
        array([1])
    """

    parameter = Parameter("budget_usd", "--budget", "most confident target up to X USD a query")

    def __init__(self, budget_usd: float) -> None:
        self.budget_usd = check_within("budget_usd", budget_usd, 0.0, np.inf)

    def scores(
        self, confidence: np.ndarray, cost_usd: np.ndarray, cost_range: tuple[float, float]
    ) -> np.ndarray:
        """(N, M), see `Policy.scores`. `cost_range` is not used."""
        # Where nothing is affordable, every score is -inf: all targets tie, and ties go to the cheapest.
        return np.where(within(cost_usd, self.budget_usd), confidence, -np.inf)
