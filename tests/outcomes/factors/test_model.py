"""The factor model: its draws against closed forms, brute force and tables whose probabilities are known."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr
from scipy.stats import norm, truncnorm

from prefillroute.outcomes.factors.model import (
    BIAS_VARIANCE,
    SCALE,
    SHAPE,
    FactorModel,
    draw_latent,
)


def test_latents_are_truncated_normals():
    generator = np.random.default_rng(0)
    for outcome, low, high in ((1.0, -0.7, np.inf), (0.0, -np.inf, -0.7), (np.nan, -np.inf, np.inf)):
        drawn = draw_latent(np.full((40_000, 1), 0.7), np.full((40_000, 1), outcome), generator) - 0.7
        known = truncnorm(low, high)
        assert drawn.mean() == pytest.approx(known.mean(), abs=0.02)
        assert drawn.std() == pytest.approx(known.std(), abs=0.02)
    assert np.isfinite(draw_latent(np.array([[9.0, -9.0]]), np.array([[0.0, 1.0]]), generator)).all()


def test_without_factors_the_posterior_is_that_of_a_proportion():
    correct = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, np.nan], [1.0, 0.0]])
    draws = FactorModel(0).draws(correct, np.zeros(4, int), num_draws=6000, burn_in=100, every=1)
    found = np.mean([draw[0] for draw in draws], axis=0)
    for target, (right, wrong) in enumerate(((3, 1), (0, 3))):

        def density(bias, right=right, wrong=wrong):
            return norm.pdf(bias, scale=BIAS_VARIANCE**0.5) * ndtr(bias) ** right * ndtr(-bias) ** wrong

        total = quad(density, -9, 9)[0]
        exact = quad(lambda bias, density=density: density(bias) * ndtr(bias), -9, 9)[0] / total
        assert found[target] == pytest.approx(exact, abs=0.02)


@pytest.mark.parametrize("with_categories", [False, True])
def test_draws_agree_with_brute_force_over_the_prior(with_categories):
    correct = np.array([[1.0, 1.0], [0.0, 0.0], [1.0, 1.0], [0.0, 0.0], [1.0, np.nan]])
    categories = np.array([0, 1, 0, 1, 0])
    rng, size = np.random.default_rng(1), 100_000
    bias = rng.normal(0, BIAS_VARIANCE**0.5, (size, 1, 2))
    spread = np.sqrt(SCALE / rng.gamma(SHAPE, size=(size, 1, 1)))
    loadings = rng.normal(size=(size, 1, 1)) + spread * rng.normal(size=(size, 1, 2))
    latent = bias + loadings * rng.normal(size=(size, 5, 1))
    if with_categories:
        of_target = np.sqrt(SCALE / rng.gamma(SHAPE, size=(size, 1, 2)))
        latent = latent + (of_target * rng.normal(size=(size, 2, 2)))[:, categories]
    probability = ndtr(latent)
    likelihood = np.where(correct == 1, probability, 1 - probability)
    likelihood[:, np.isnan(correct)] = 1
    weight = likelihood.prod(axis=(1, 2))
    exact = (weight[:, None, None] * probability).sum(axis=0) / weight.sum()
    draws = FactorModel(1, with_categories).draws(correct, categories, num_draws=4000, burn_in=300, every=1)
    assert np.mean(list(draws), axis=0) == pytest.approx(exact, abs=0.03)


def test_the_same_seed_draws_the_same():
    correct = np.random.default_rng(0).integers(0, 2, (30, 4)).astype(float)
    first, again, other = (
        next(FactorModel(2).draws(correct, np.zeros(30, int), num_draws=1, burn_in=3, every=1, seed=seed))
        for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert not (first == other).all()
