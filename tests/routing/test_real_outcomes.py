"""The frontier on real outcomes with a per-category prior: whole categories share their lines, so ties abound."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from prefillroute.outcomes.files import read_outcomes
from prefillroute.routing.frontier import exact_frontier
from prefillroute.routing.policies.lambda_policy import LambdaPolicy


@pytest.mark.shared_data
@pytest.mark.parametrize("by_tokens", [True, False])
def test_every_point_is_the_argmax_at_its_lambda(by_tokens: bool, real_data: Callable[[str], Path]) -> None:
    outcomes = read_outcomes(real_data("mmlu_pro"))
    outcomes = outcomes.select(np.flatnonzero(outcomes.complete)[:3000])
    confidence = np.empty_like(outcomes.correct)
    for category in outcomes.queries["category"].unique():
        rows = (outcomes.queries["category"] == category).to_numpy()
        confidence[rows] = outcomes.correct[rows].mean(axis=0)
    # Round prices: many targets share one, so that many costs are equal as well.
    price = np.tile([0.2, 0.2, 0.9, 2.0, 5.0], 10)[: len(outcomes.targets)] * 1e-6
    tokens = outcomes.prompt_tokens if by_tokens else np.full_like(outcomes.correct, 1000.0)
    cost = tokens * price
    cost_range = (float(cost.min()), float(cost.max()))
    frontier = exact_frontier(confidence, cost, outcomes.correct, cost_range)
    rows = np.arange(len(cost))
    for point in np.unique(np.linspace(0, len(frontier) - 1, 60).astype(int)):
        choice = LambdaPolicy(frontier.lambda_[point]).choose(confidence, cost, cost_range)
        assert frontier.cost_usd[point] == pytest.approx(cost[rows, choice].mean(), rel=1e-12)
        assert frontier.accuracy[point] == pytest.approx(outcomes.correct[rows, choice].mean(), rel=1e-12)
