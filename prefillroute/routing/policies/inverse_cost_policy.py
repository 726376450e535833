"""Chooses the target with the most confidence per (discounted) dollar."""

import numpy as np

from prefillroute.routing.policies.contract import Parameter, Policy, check_within


class InverseCostPolicy(Policy):
    """Chooses the target with the greatest confidence / cost^alpha.

    A free target with any confidence at all beats every target that costs something; among several free targets the
    most confident one wins.

    Args:
        alpha: at least 0; 0 takes the highest confidence, 1 the most confidence per dollar.

    Example:
        >>> confidence, cost_usd = np.array([[0.9, 0.7, 0.4]]), np.array([[0.03, 0.01, 0.002]])
        >>> InverseCostPolicy(1.0).choose(confidence, cost_usd, (0.0, 0.03))
        array([2])
    """

    parameter = Parameter("alpha", "--alpha", "greatest P / cost^X")

    def __init__(self, alpha: float) -> None:
        self.alpha = check_within("alpha", alpha, 0.0, np.inf)

    def scores(
        self, confidence: np.ndarray, cost_usd: np.ndarray, cost_range: tuple[float, float]
    ) -> np.ndarray:
        """(N, M), see `Policy.scores`. `cost_range` is not used."""
        if self.alpha == 0.0:
            return confidence
        # With an extreme alpha, cost^alpha leaves the range of float64: all paid targets then tie and the cheapest is
        # chosen, which is the limit of the formula.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
            value = np.where(confidence > 0, confidence / cost_usd**self.alpha, 0.0)
        free = (cost_usd == 0) & (confidence > 0)
        # Where a free target has any confidence, only the free targets compete, on confidence alone.
        return np.where(free.any(axis=1, keepdims=True), np.where(free, confidence, -np.inf), value)
