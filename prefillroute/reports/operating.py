"""One operating point of the router on the test part: who is chosen at a lambda, and what that gives."""

import numpy as np

from prefillroute.reports.run_folder import TestPart
from prefillroute.routing.policies.lambda_policy import LambdaPolicy


def chosen_targets(test: TestPart, lambda_: float, cost_range: tuple[float, float]) -> np.ndarray:
    """(N,) index of the target that each test query goes to."""
    return LambdaPolicy(lambda_).choose(test.confidence, test.cost_usd, cost_range)


def operating_point(test: TestPart, lambda_: float, cost_range: tuple[float, float]) -> tuple[float, float]:
    """Mean estimated cost (USD per query) and accuracy on the complete test queries; NaN without any."""
    rows = np.flatnonzero(test.complete)
    if not len(rows):
        return float("nan"), float("nan")
    choice = chosen_targets(test, lambda_, cost_range)[rows]
    return float(test.cost_usd[rows, choice].mean()), float(test.correct[rows, choice].mean())
