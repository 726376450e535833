"""The cheapest target that is nearly as good as the best for this query."""

import numpy as np

from prefillroute.routing.policies.contract import Policy, check_within


class TolerancePolicy(Policy):
    """Cheapest target with confidence of at least the query's greatest confidence less the tolerance.

    Args:
        tolerance: confidence that may be given up, in [0, 1]; 0 takes the most confident target.
    """

    def __init__(self, tolerance: float) -> None:
        self.tolerance = check_within("tolerance", tolerance, 0.0, 1.0)

    def scores(
        self, confidence: np.ndarray, cost_usd: np.ndarray, cost_range: tuple[float, float]
    ) -> np.ndarray:
        """(N, M), see `Policy.scores`. `cost_range` is not used."""
        # All that are good enough tie, and ties go to the cheapest.
        return np.minimum(confidence, confidence.max(axis=1, keepdims=True) - self.tolerance)
