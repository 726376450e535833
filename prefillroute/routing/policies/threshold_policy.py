"""The cheapest target that is good enough in absolute terms."""

import numpy as np

from prefillroute.routing.policies.contract import check_finite, check_within, choose_greatest


class ThresholdPolicy:
    """Cheapest target with confidence of at least the threshold; the most confident where none has it.

    Args:
        threshold: confidence in [0, 1].
    """

    def __init__(self, threshold: float) -> None:
        self.threshold = check_within("threshold", threshold, 0.0, 1.0)

    def choose(
        self, confidence: np.ndarray, cost_usd: np.ndarray, cost_range: tuple[float, float]
    ) -> np.ndarray:
        """Choose a target per query; see `Policy.choose`. `cost_range` is not used."""
        check_finite(confidence=confidence, cost_usd=cost_usd)
        # All that are good enough tie, and ties go to the cheapest.
        return choose_greatest(np.minimum(confidence, self.threshold), cost_usd)
