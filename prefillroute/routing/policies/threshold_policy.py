"""The cheapest target that is good enough in absolute terms."""

import numpy as np

from prefillroute.routing.policies.contract import Policy, check_within


class ThresholdPolicy(Policy):
    """Cheapest target with confidence of at least the threshold; the most confident where none has it.

    Args:
        threshold: confidence in [0, 1].
    """

    def __init__(self, threshold: float) -> None:
        self.threshold = check_within("threshold", threshold, 0.0, 1.0)

    def scores(
        self, confidence: np.ndarray, cost_usd: np.ndarray, cost_range: tuple[float, float]
    ) -> np.ndarray:
        """(N, M), see `Policy.scores`. `cost_range` is not used."""
        # All that are good enough tie, and ties go to the cheapest.
        return np.minimum(confidence, self.threshold)
