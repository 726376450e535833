"""The most confidence per (discounted) dollar."""

import numpy as np

from prefillroute.routing.policies.contract import Policy, check_within


class InverseCostPolicy(Policy):
    """Greatest confidence / cost^alpha.

    A free target that may answer at all beats every target that costs something; among several free ones the most
    confident wins.

    Args:
        alpha: at least 0; 0 takes the highest confidence, 1 the most confidence per dollar.
    """

    def __init__(self, alpha: float) -> None:
        self.alpha = check_within("alpha", alpha, 0.0, np.inf)

    def scores(
        self, confidence: np.ndarray, cost_usd: np.ndarray, cost_range: tuple[float, float]
    ) -> np.ndarray:
        """(N, M), see `Policy.scores`. `cost_range` is not used."""
        if self.alpha == 0.0:
            return confidence
        # An extreme alpha runs cost^alpha out of float64: then all paid targets tie and the cheapest is chosen,
        # which is the limit of the formula.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
            value = np.where(confidence > 0, confidence / cost_usd**self.alpha, 0.0)
        free = (cost_usd == 0) & (confidence > 0)
        # Where a free target may answer, only the free ones compete, on confidence alone.
        return np.where(free.any(axis=1, keepdims=True), np.where(free, confidence, -np.inf), value)
