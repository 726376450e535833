"""The uniform grid of lambda, for parity with the paper, and the best operating point of a frontier."""

import numpy as np

from prefillroute.metrics.equal_costs import level_costs
from prefillroute.metrics.ratio import NOTHING
from prefillroute.routing.policies.contract import check_finite, choose_greatest
from prefillroute.routing.scores import lambda_scores, normalised_cost

# N = queries, M = targets, G = grid points, S = operating points, B = resamples

GRID_SIZE = 101


def uniform_sweep(
    confidence: np.ndarray,
    cost_usd: np.ndarray,
    cost_range: tuple[float, float],
    grid_size: int = GRID_SIZE,
) -> np.ndarray:
    """Choose targets at evenly spaced lambdas from 0 to 1, both ends included: (N, G).

    Example:
        >>> confidence, cost = np.array([[0.5, 1.0]]), np.array([[0.0, 1.0]])
        >>> uniform_sweep(confidence, cost, cost_range=(0.0, 1.0), grid_size=5)
        array([[1, 1, 0, 0, 0]])
    """
    check_finite(confidence=confidence, cost_usd=cost_usd)
    cost_usd = level_costs(cost_usd)
    relative = normalised_cost(cost_usd, cost_range)
    choice = np.empty((len(confidence), grid_size), dtype=np.int64)
    for column, lambda_ in enumerate(np.linspace(0.0, 1.0, grid_size)):
        choice[:, column] = choose_greatest(lambda_scores(confidence, relative, lambda_), cost_usd)
    return choice


def best_point(accuracy: np.ndarray) -> np.ndarray:
    """Index of the greatest accuracy among operating points (B, S), ties to lower cost: (B,).

    Costs fall as lambda rises, so the last of several equal accuracies is the cheapest.
    """
    greatest = accuracy >= accuracy.max(axis=1, keepdims=True) - NOTHING
    return accuracy.shape[1] - 1 - greatest[:, ::-1].argmax(axis=1)
