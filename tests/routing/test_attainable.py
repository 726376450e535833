"""The ceiling: found again in pools whose probabilities are known, and refused where it cannot be."""

import numpy as np
import pytest

from prefillroute.errors import UserError
from prefillroute.routing.attainable import attainable, gains, unfit

WITHIN = 0.005
"""Accuracy that an interval may miss by: true gains of exactly 0 lie at the edge of what can be drawn."""


def pool(
    kind: str, num_queries: int, num_targets: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities, outcomes and costs; logistic, so of another form than the model."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(0, 0.7, num_targets) + np.zeros((num_queries, 1))
    trait = rng.normal(size=(num_queries, 1))
    logit += {
        "none": 0 * trait,
        "difficulty": 1.5 * trait,
        "general": trait * rng.uniform(0.8, 2.2, num_targets),
        "many": 1.5 * trait + rng.normal(size=(num_queries, 3)) @ rng.normal(0, 0.8, (3, num_targets)),
    }[kind]
    probability = 1 / (1 + np.exp(-logit))
    cost = np.geomspace(0.1, 10, num_targets)[np.argsort(np.argsort(probability.mean(axis=0)))]
    correct = (rng.random(probability.shape) < probability).astype(float)
    return probability, correct, cost * rng.uniform(0.5, 1.5, (num_queries, 1))


def test_gains_are_those_of_brute_force():
    probability, correct, cost = pool("many", 50, 3, 0)
    found, hull = gains(probability, correct, cost)
    routed = correct[np.arange(50), probability.argmax(axis=1)].mean()
    assert found == pytest.approx(routed - correct.mean(axis=0).max())
    assert hull <= gains(correct, correct, cost)[1]


def test_outcomes_that_the_model_cannot_read_are_refused():
    with pytest.raises(UserError, match=r"expected outcomes of 0 and 1, found 0\.25"):
        attainable(np.array([[0.25, 1.0], [0.0, 1.0]]), np.ones((2, 2)))
    assert unfit(np.ones((3, 1))) == "expected at least two targets to choose between, found one"
    assert unfit(np.array([[1.0, np.nan], [0.0, 1.0]])) is None


def test_a_pool_of_few_targets_is_doubted_and_missing_outcomes_are_not_measured():
    _, correct, cost = pool("many", 120, 3, 0)
    correct[:20, 0] = np.nan
    found = attainable(correct, cost, num_draws=4)
    assert found.doubt == (
        "a ceiling needs at least 12 targets, found 3: what so few share is too little to tell luck from ability"
    )
    assert found.perfect.hull.shape == found.simulated.accuracy.shape == (4,)
    assert found.oracle.accuracy[0] == pytest.approx(
        correct[20:].max(axis=1).mean() - correct[20:].mean(axis=0).max()
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "num_queries", "num_targets"),
    [("none", 500, 12), ("difficulty", 500, 12), ("general", 500, 12), ("many", 1000, 16)],
)
def test_attainable_gains_are_found_again(kind, num_queries, num_targets):
    covered, off = [], []
    for seed in range(4):
        probability, correct, cost = pool(kind, num_queries, num_targets, seed)
        truth = np.array(gains(probability, probability, cost))
        found = attainable(correct, cost, num_draws=40, seed=seed)
        draws = np.array([found.perfect.accuracy, found.perfect.hull])
        low, high = np.quantile(draws, [0.025, 0.975], axis=1)
        covered += [*(low - WITHIN <= truth) & (truth <= high + WITHIN)]
        off.append(draws.mean(axis=1) - truth)
        oracle = np.array([found.oracle.accuracy[0], found.oracle.hull[0]])
        assert (draws.mean(axis=1) < 0.8 * oracle).all()  # most of what the oracle gains is luck
    assert np.abs(np.mean(off, axis=0)).max() < 0.02
    assert np.mean(covered) >= 0.75
