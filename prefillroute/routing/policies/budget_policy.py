"""The most confident target that a fixed price per query can buy."""

import numpy as np

from prefillroute.metrics.equal_costs import within
from prefillroute.routing.policies.contract import check_finite, check_within, choose_greatest


class BudgetPolicy:
    """Greatest confidence among targets whose estimated cost is within the budget; the cheapest where none is.

    Args:
        budget_usd: USD per query, at least 0.
    """

    def __init__(self, budget_usd: float) -> None:
        self.budget_usd = check_within("budget_usd", budget_usd, 0.0, np.inf)

    def choose(
        self, confidence: np.ndarray, cost_usd: np.ndarray, cost_range: tuple[float, float]
    ) -> np.ndarray:
        """Choose a target per query; see `Policy.choose`. `cost_range` is not used."""
        check_finite(confidence=confidence, cost_usd=cost_usd)
        # Where nothing is affordable every score is -inf: all tie, and ties go to the cheapest.
        return choose_greatest(np.where(within(cost_usd, self.budget_usd), confidence, -np.inf), cost_usd)
