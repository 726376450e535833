"""The frontier and hull gain on real outcomes with a per-category prior: whole categories share their lines."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from prefillroute.config.compose import compose_run, fact
from prefillroute.config.facts import PoolConfig
from prefillroute.metrics.hull_gain import hull_gains
from prefillroute.metrics.pool_points import PoolPoints
from prefillroute.outcomes.costs.tokens import TokenCost
from prefillroute.outcomes.files import read_outcomes
from prefillroute.outcomes.pool import load_pool
from prefillroute.routing.baselines import constant_confidence
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


POOLS = {
    "starter": "",
    "reasoning_gym_easy": "reasoning_gym_easy",
    "mmlu_pro_six": "mmlu_pro",
    "mmlu_pro_all": "mmlu_pro",
    "zeroeval": "zeroeval",
    "openhands_swe": "openhands_swe_2026",
}
"""Pool to its folder of real data; the starter pool comes with the package."""
FEW_QUERIES_PER_TARGET = ("zeroeval", "openhands_swe")
"""377 test queries x 39 targets and 125 x 34: which target was best in training says little about the test part."""


def gain_of(confidence: np.ndarray, cost: np.ndarray, correct: np.ndarray) -> float:
    frontier = exact_frontier(confidence, cost, correct, (float(cost.min()), float(cost.max())))
    points = PoolPoints.from_outcomes(correct, cost, np.ones((1, len(cost))))
    return float(hull_gains(frontier.cost_usd[None], frontier.accuracy[None], points)[0][0])


@pytest.mark.shared_data
@pytest.mark.parametrize("name", POOLS)
def test_without_skill_there_is_no_hull_gain(name: str, real_data: Callable[[str], Path]) -> None:
    """Confidences permuted over queries, and the constant predictor, at each target's mean cost from the pool's prices.

    Both are at 0 where the training part tells which targets are good, and never above it. With a query's own cost
    the constant predictor is not: sending long prompts to cheap targets saves money without knowing who answers them.
    """
    data = real_data(POOLS[name]).parent if POOLS[name] else "data"
    pool = fact(compose_run([f"pool={name}", f"paths.data={data}"], config_name="pool").pool, PoolConfig)
    targets, outcomes = load_pool(pool.targets, pool.outcomes, pool.exclude)
    generator = np.random.default_rng(0)
    rows = generator.permutation(np.flatnonzero(outcomes.complete))
    train, test = np.split(rows, [3 * len(rows) // 4])
    model = TokenCost().fit(outcomes, train, targets)
    own_cost = model.estimate(len(outcomes), None, outcomes.prompt_tokens)[test]
    flat_cost = np.tile(own_cost.mean(axis=0), (len(test), 1))
    correct = outcomes.correct[test]
    constant = constant_confidence(outcomes.correct[train])
    prior = np.tile(constant, (len(outcomes), 1))
    kind = (outcomes.queries["benchmark"] + "/" + outcomes.queries["category"].fillna("")).to_numpy()
    for each in np.unique(kind[train]):
        seen = outcomes.correct[train[kind[train] == each]]
        prior[kind == each] = (seen.sum(axis=0) + 5 * constant) / (len(seen) + 5)

    skilled = gain_of(prior[test], own_cost, correct)
    blind = [gain_of(prior[generator.permutation(test)], flat_cost, correct) for _ in range(5)]
    flat_constant = gain_of(np.tile(constant, (len(test), 1)), flat_cost, correct)
    own_constant = gain_of(np.tile(constant, (len(test), 1)), own_cost, correct)
    noise = 3 * np.std(blind, ddof=1) + 1e-3
    assert np.mean(blind) < noise
    assert flat_constant < 1e-9
    # Knowing what a query costs is worth something by itself.
    assert own_constant >= flat_constant - 1e-9
    if name not in FEW_QUERIES_PER_TARGET:
        assert abs(np.mean(blind)) < noise
        assert abs(flat_constant) < 0.005
        assert skilled > max(blind)
