"""Trades confidence against normalised cost with one weight: the paper's policy (eq. 3-5)."""

import numpy as np

from prefillroute.routing.guard import GUARD, check_guard
from prefillroute.routing.policies.contract import Parameter, Policy, check_within
from prefillroute.routing.scores import lambda_scores, normalised_cost


class LambdaPolicy(Policy):
    """Chooses the target with the greatest (1 - lambda) * confidence - lambda * normalised cost.

    Args:
        lambda_: in [0, 1]; 0 takes the highest confidence, 1 the cheapest target. None leaves the choice to the run,
            whose router bundle then carries the chosen value (see `routing.guard`); until then it counts as 0.
        guard: standard errors that the gain over the best single target must exceed when a run chooses lambda; 0
            chooses without a guard. It does not change the scores.

    Example:
        >>> confidence, cost_usd = np.array([[0.9, 0.7, 0.4]]), np.array([[0.03, 0.01, 0.002]])
        >>> LambdaPolicy(0.5).choose(confidence, cost_usd, (0.0, 0.03))
        array([1])
    """

    parameter = Parameter("lambda_", "--lambda", "weight of cost against confidence, in [0, 1]")

    def __init__(self, lambda_: float | None = 0.0, guard: float = GUARD) -> None:
        self.lambda_ = None if lambda_ is None else check_within("lambda_", lambda_, 0.0, 1.0)
        self.guard = check_guard(guard)

    def scores(
        self, confidence: np.ndarray, cost_usd: np.ndarray, cost_range: tuple[float, float]
    ) -> np.ndarray:
        """(N, M), see `Policy.scores`."""
        return lambda_scores(confidence, normalised_cost(cost_usd, cost_range), self.lambda_ or 0.0)
