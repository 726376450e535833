"""The cheapest target that is nearly as good as the best for this query."""

import numpy as np

from prefillroute.routing.policies.contract import check_finite, check_within, choose_greatest


class TolerancePolicy:
    """Cheapest target with confidence of at least the query's greatest confidence less the tolerance.

    Args:
        tolerance: confidence that may be given up, in [0, 1]; 0 takes the most confident target.
    """

    def __init__(self, tolerance: float) -> None:
        self.tolerance = check_within("tolerance", tolerance, 0.0, 1.0)

    def choose(
        self, confidence: np.ndarray, cost_usd: np.ndarray, cost_range: tuple[float, float]
    ) -> np.ndarray:
        """Choose a target per query; see `Policy.choose`. `cost_range` is not used."""
        check_finite(confidence=confidence, cost_usd=cost_usd)
        enough = confidence.max(axis=1, keepdims=True) - self.tolerance
        return choose_greatest((confidence >= enough).astype(float), cost_usd)
