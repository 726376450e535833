"""Trade confidence against normalised cost with one weight: the paper's policy (eq. 3-5)."""

import numpy as np

from prefillroute.metrics.equal_costs import level_costs
from prefillroute.routing.policies.contract import check_finite, check_within, choose_greatest
from prefillroute.routing.scores import lambda_scores, normalised_cost


class LambdaPolicy:
    """Greatest (1 - lambda) * confidence - lambda * normalised cost.

    Args:
        lambda_: in [0, 1]; 0 takes the highest confidence, 1 the cheapest target.
    """

    def __init__(self, lambda_: float = 0.0) -> None:
        self.lambda_ = check_within("lambda_", lambda_, 0.0, 1.0)

    def choose(
        self, confidence: np.ndarray, cost_usd: np.ndarray, cost_range: tuple[float, float]
    ) -> np.ndarray:
        """Choose a target per query; see `Policy.choose`."""
        check_finite(confidence=confidence, cost_usd=cost_usd)
        cost = level_costs(cost_usd)
        scores = lambda_scores(confidence, normalised_cost(cost, cost_range), self.lambda_)
        return choose_greatest(scores, cost)
