"""Samples the probabilities behind an outcome table from a probit factor model.

The outcome of target m on query q is 1 with probability Phi(b_m + g[c, m] + loadings_m . traits_q), where c is the
query's category. Traits are standard normal; loadings, biases and category effects are normal too, with variances that
are drawn as well. The first trait is the query's difficulty: its loadings scatter around a mean of their own, so that a
table in which it has the same effect on every target is not a special case.

Gibbs sampling with a latent normal for each outcome (Albert and Chib, 1993) draws from the exact posterior. Draws are
what a ceiling needs: the posterior mean of a probability is pulled towards the middle, and the most likely loadings
are too large, but a draw is as spread out as the truth is believed to be. The probit stands in for the logit because
all queries then share one small matrix, so that a sweep over 200,000 outcomes takes some 30 ms.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

# Q = queries, M = targets, D = traits per query, G = categories

BIAS_VARIANCE = 4.0
"""Prior variance of a target's bias, in units of the latent noise."""
SHAPE, SCALE = 1.0, 0.0005
"""Inverse-gamma prior of other variances: of the loadings of one factor, and of one target's effects of categories.
It lets a factor that explains nothing vanish, so that one too many does no harm."""
EDGE = 1e-12
"""Keeps probabilities away from 0 and 1, where the inverse of the normal distribution is infinite."""


@dataclass
class _State:
    """What one sweep leaves to the next."""

    bias: np.ndarray
    """(M,)"""
    loadings: np.ndarray
    """(M, D)"""
    loading_mean: np.ndarray
    """(D,) zero but for the first factor."""
    loading_variance: np.ndarray
    """(D,) around the mean."""
    traits: np.ndarray
    """(Q, D)"""
    effects: np.ndarray
    """(G, M), zero without categories."""
    effect_variance: np.ndarray
    """(M,)"""


@dataclass(frozen=True)
class FactorModel:
    """How outcomes depend on queries.

    Args:
        num_factors: D; 0 for targets whose accuracy has nothing to do with the query.
        with_categories: whether each target has its own level in each category.

    Example:
        >>> correct = np.random.default_rng(0).integers(0, 2, size=(50, 4)).astype(float)
        >>> draws = list(FactorModel(1).draws(correct, np.zeros(50, dtype=int), num_draws=3, burn_in=5, every=2))
        >>> len(draws), draws[0].shape
        (3, (50, 4))
    """

    num_factors: int
    with_categories: bool = False

    def __str__(self) -> str:
        """In words, for notes."""
        factors = f"{self.num_factors} factor{'' if self.num_factors == 1 else 's'}"
        return f"{factors} with categories" if self.with_categories else factors

    def draws(
        self,
        correct: np.ndarray,
        categories: np.ndarray,
        *,
        num_draws: int,
        burn_in: int,
        every: int,
        seed: int = 0,
    ) -> Iterator[np.ndarray]:
        """Yield probabilities (Q, M) from the posterior.

        Args:
            correct: (Q, M) of 0, 1 and NaN for missing outcomes, which get probabilities too.
            categories: (Q,) int from 0; not read without ``with_categories``.
            num_draws: how many.
            burn_in: sweeps before the first one.
            every: sweeps from one to the next.
            seed: of the draws.
        """
        generator = np.random.default_rng(seed)
        state = self._start(correct, categories, generator)
        for sweep in range(burn_in + num_draws * every):
            self._sweep(state, correct, categories, generator)
            if sweep >= burn_in and (sweep - burn_in) % every == every - 1:
                yield ndtr(self._latent_mean(state, categories))

    def _start(self, correct: np.ndarray, categories: np.ndarray, generator: np.random.Generator) -> _State:
        """Begin at the targets' accuracies and small random loadings."""
        num_queries, num_targets = correct.shape
        known = ~np.isnan(correct)
        rate = (np.nansum(correct, axis=0) + 0.5) / (known.sum(axis=0) + 1.0)
        width = self.num_factors
        mean = np.zeros(width)
        mean[:1] = 0.7
        return _State(
            bias=ndtri(rate),
            loadings=mean + generator.normal(0.0, 0.3, (num_targets, width)),
            loading_mean=mean,
            loading_variance=np.full(width, 0.5),
            traits=generator.normal(size=(num_queries, width)),
            effects=np.zeros((int(categories.max(initial=0)) + 1, num_targets)),
            effect_variance=np.full(num_targets, 0.1),
        )

    def _latent_mean(self, state: _State, categories: np.ndarray) -> np.ndarray:
        mean = state.bias + state.traits @ state.loadings.T
        return mean + state.effects[categories] if self.with_categories else mean

    def _sweep(
        self, state: _State, correct: np.ndarray, categories: np.ndarray, generator: np.random.Generator
    ) -> None:
        """Draw everything once, each given all the rest."""
        latent = draw_latent(self._latent_mean(state, categories), correct, generator)
        if self.with_categories:
            self._draw_effects(state, latent, categories, generator)
            latent -= state.effects[categories]
        if self.num_factors:
            _draw_traits(state, latent, generator)
        _draw_loadings(state, latent, generator)
        if self.num_factors:
            _draw_prior(state, generator)
            _rescale(state, generator)

    def _draw_effects(
        self, state: _State, latent: np.ndarray, categories: np.ndarray, generator: np.random.Generator
    ) -> None:
        residual = latent - state.bias - state.traits @ state.loadings.T
        size = np.bincount(categories, minlength=len(state.effects)).astype(float)
        total = np.zeros(state.effects.shape)
        np.add.at(total, categories, residual)
        variance = 1.0 / (size[:, None] + 1.0 / state.effect_variance)
        state.effects = total * variance + np.sqrt(variance) * generator.normal(size=total.shape)
        state.effect_variance = _draw_variance(state.effects, generator)


def draw_latent(mean: np.ndarray, correct: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draw normals of variance 1 around `mean` (Q, M): positive where correct, negative where wrong, any if missing.

    Example:
        >>> found = draw_latent(np.zeros((1, 2)), np.array([[1.0, 0.0]]), np.random.default_rng(0))
        >>> np.sign(found).tolist()
        [[1.0, -1.0]]
    """
    below = ndtr(-mean)  # the probability of a negative one
    uniform = generator.random(mean.shape)
    low = np.where(correct == 1, below, 0.0)
    high = np.where(correct == 0, below, 1.0)
    return mean + ndtri(np.clip(low + uniform * (high - low), EDGE, 1.0 - EDGE))


def _draw_traits(state: _State, latent: np.ndarray, generator: np.random.Generator) -> None:
    precision = np.eye(state.loadings.shape[1]) + state.loadings.T @ state.loadings
    mean = np.linalg.solve(precision, state.loadings.T @ (latent - state.bias).T).T
    state.traits = mean + _correlated(precision, len(latent), generator)


def _draw_loadings(state: _State, latent: np.ndarray, generator: np.random.Generator) -> None:
    design = np.column_stack([np.ones(len(latent)), state.traits])
    prior = np.append(1.0 / BIAS_VARIANCE, 1.0 / state.loading_variance)
    precision = design.T @ design + np.diag(prior)
    pull = np.append(0.0, state.loading_mean / state.loading_variance)
    mean = np.linalg.solve(precision, design.T @ latent + pull[:, None]).T
    drawn = mean + _correlated(precision, latent.shape[1], generator)
    state.bias, state.loadings = drawn[:, 0], drawn[:, 1:]


def _draw_prior(state: _State, generator: np.random.Generator) -> None:
    """Where the loadings of each factor lie, and how far apart."""
    num_targets = len(state.loadings)
    variance = 1.0 / (num_targets / state.loading_variance[0] + 1.0)
    mean = state.loadings[:, 0].sum() / state.loading_variance[0] * variance
    state.loading_mean[0] = mean + np.sqrt(variance) * generator.normal()
    state.loading_variance = _draw_variance(state.loadings - state.loading_mean, generator)


def _draw_variance(values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draw the variances (C,) of the columns of (N, C) normals."""
    scale = SCALE + (values**2).sum(axis=0) / 2.0
    return scale / generator.gamma(SHAPE + len(values) / 2.0, size=len(scale))


def _rescale(state: _State, generator: np.random.Generator) -> None:
    """Redraw the size of traits against that of loadings, of which their products say nothing: far fewer sweeps.

    The square of the factor by which traits grow has a generalised inverse Gaussian distribution. The gamma
    distribution that it nearly is proposes a value, which a Metropolis step accepts or not.
    """
    num_queries, num_targets = len(state.traits), len(state.loadings)
    inverse = ((state.loadings - state.loading_mean) ** 2).sum(axis=0) / state.loading_variance
    inverse[0] += state.loading_mean[0] ** 2
    scaled = np.full(len(inverse), num_targets)
    scaled[0] += 1  # the mean is scaled too
    shape = (num_queries - scaled) / 2.0
    if (shape <= 0).any():
        return  # so few queries that the step would be of no use
    square = generator.gamma(shape) * 2.0 / (state.traits**2).sum(axis=0)
    accepted = np.log(generator.random(len(square))) < inverse / 2.0 * (1.0 - 1.0 / square)
    growth = np.where(accepted, np.sqrt(square), 1.0)
    state.traits *= growth
    state.loadings /= growth
    state.loading_mean /= growth


def _correlated(precision: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Draw (count, D) normals with this precision matrix."""
    root = np.linalg.cholesky(precision)
    return np.linalg.solve(root.T, generator.normal(size=(len(precision), count))).T
