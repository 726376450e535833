"""One operating point of the router on the test part: the targets chosen, and the resulting cost and accuracy."""

import numpy as np

from prefillroute.reports.run_folder import TestPart
from prefillroute.routing.policies.lambda_policy import LambdaPolicy


def chosen_targets(test: TestPart, lambda_: float, cost_range: tuple[float, float]) -> np.ndarray:
    """The index (N,) of the target that each test query goes to."""
    return LambdaPolicy(lambda_).choose(test.confidence, test.cost_usd, cost_range)


def operating_point(test: TestPart, choice: np.ndarray) -> tuple[float, float]:
    """Mean cost (USD per query) and accuracy of the chosen targets (N,) on complete queries; NaN if there are none."""
    rows = np.flatnonzero(test.complete)
    if not len(rows):
        return float("nan"), float("nan")
    taken = choice[rows]
    return float(test.cost_usd[rows, taken].mean()), float(test.correct[rows, taken].mean())
