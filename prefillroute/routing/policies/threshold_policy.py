"""Chooses the cheapest target that is good enough in absolute terms."""

import numpy as np

from prefillroute.routing.policies.contract import Parameter, Policy, check_within


class ThresholdPolicy(Policy):
    """Chooses the cheapest target whose confidence reaches the threshold, or the most confident if none does.

    Args:
        threshold: confidence in [0, 1].

    Example:
        >>> confidence, cost_usd = np.array([[0.9, 0.7, 0.4]]), np.array([[0.03, 0.01, 0.002]])
        >>> ThresholdPolicy(0.8).choose(confidence, cost_usd, (0.0, 0.03))
        array([0])
    """

    parameter = Parameter("threshold", "--threshold", "cheapest with P(correct) >= X")

    def __init__(self, threshold: float) -> None:
        self.threshold = check_within("threshold", threshold, 0.0, 1.0)

    def scores(
        self, confidence: np.ndarray, cost_usd: np.ndarray, cost_range: tuple[float, float]
    ) -> np.ndarray:
        """(N, M), see `Policy.scores`. `cost_range` is not used."""
        # All targets that are good enough tie, and ties go to the cheapest.
        return np.minimum(confidence, self.threshold)
