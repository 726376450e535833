"""One operating point of the router on the test part: the targets chosen, and the resulting cost and accuracy."""

import numpy as np

from prefillroute.reports.run_folder import TestPart
from prefillroute.routing.policies.lambda_policy import LambdaPolicy


def chosen_targets(test: TestPart, lambda_: float, cost_range: tuple[float, float]) -> np.ndarray:
    """The index (N,) of the target that each test query goes to."""
    return LambdaPolicy(lambda_).choose(test.confidence, test.cost_usd, cost_range)


def operating_point(test: TestPart, choice: np.ndarray, read: bool) -> tuple[float, float]:
    """Mean cost (USD per query) and accuracy of the chosen targets (N,) on complete queries; NaN if there are none.

    `read` says whether the router reads the queries for it, which its own cost then is a part of.
    """
    rows = np.flatnonzero(test.complete)
    if not len(rows):
        return float("nan"), float("nan")
    taken = choice[rows]
    router = float(test.router_cost_usd[rows].mean()) if read else 0.0
    return float(test.cost_usd[rows, taken].mean()) + router, float(test.correct[rows, taken].mean())
