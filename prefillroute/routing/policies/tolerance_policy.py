"""Chooses the cheapest target that is nearly as good as the best one for the query."""

import numpy as np

from prefillroute.routing.policies.contract import Parameter, Policy, check_within


class TolerancePolicy(Policy):
    """Chooses the cheapest target whose confidence is within the tolerance of the query's greatest confidence.

    Args:
        tolerance: confidence that may be given up, in [0, 1]; 0 takes the most confident target.

    Example:
        >>> confidence, cost_usd = np.array([[0.9, 0.7, 0.4]]), np.array([[0.03, 0.01, 0.002]])
        >>> TolerancePolicy(0.25).choose(confidence, cost_usd, (0.0, 0.03))
        array([1])
    """

    parameter = Parameter("tolerance", "--tolerance", "cheapest within X of the best P")

    def __init__(self, tolerance: float) -> None:
        self.tolerance = check_within("tolerance", tolerance, 0.0, 1.0)

    def scores(
        self, confidence: np.ndarray, cost_usd: np.ndarray, cost_range: tuple[float, float]
    ) -> np.ndarray:
        """(N, M), see `Policy.scores`. `cost_range` is not used."""
        # All targets that are good enough tie, and ties go to the cheapest.
        return np.minimum(confidence, confidence.max(axis=1, keepdims=True) - self.tolerance)
