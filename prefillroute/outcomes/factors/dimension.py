"""How many factors an outcome table has: the number that predicts outcomes best which the model did not see."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from prefillroute.outcomes.factors.model import FactorModel

# Q = queries, M = targets, H = held-out outcomes

NUM_PARTS = 10
"""The known outcomes are divided by lot; each part in turn is hidden from a fit."""
ENOUGH = 20_000
"""Once that many have been hidden, further parts are not."""
MOST_PARTS = 3
MOST_FACTORS = 10
PATIENCE = 3
"""Dimensions in a row that bring nothing before the search ends."""
EVIDENCE = 2.0
"""Standard errors by which categories must improve the likelihood."""
MOST_QUERIES = 12_000
"""The search reads this many queries at most."""
NUM_DRAWS, BURN_IN, EVERY = 40, 80, 2


@dataclass(frozen=True)
class Fit:
    """How well a model predicts the held-out outcomes."""

    model: FactorModel
    log_likelihood: float
    """Mean over the held-out outcomes, in nats."""
    behind: float
    """By how much the best model is better; 0 for that one."""
    standard_error: float
    """Of `behind`, paired by outcome, queries as the units."""


@dataclass(frozen=True)
class Dimension:
    """The models that were tried."""

    fits: tuple[Fit, ...]
    """In the order in which they were fitted."""
    best: FactorModel
    """It predicts best."""
    sparest: FactorModel
    """The one of fewest factors that is less than a standard error behind."""
    at_limit: bool
    """Whether the best one has as many factors as the number of targets allows, so that more might be better."""

    @property
    def kept(self) -> tuple[FactorModel, ...]:
        """Those between which the held-out outcomes do not decide, at their ends: one or two."""
        return (self.best,) if self.best == self.sparest else (self.sparest, self.best)

    @property
    def gain(self) -> float:
        """Nats per outcome by which the best model beats one of difficulty alone (one factor, no categories)."""
        alone = next(fit for fit in self.fits if fit.model == FactorModel(1))
        return alone.behind


def most_factors(num_targets: int) -> int:
    """Greatest number of factors that the correlations of M targets can tell apart (Ledermann's bound).

    Example:
        >>> [most_factors(number) for number in (2, 3, 4, 6, 10, 33)]
        [1, 1, 1, 3, 6, 10]
    """
    bound = (2 * num_targets + 1 - np.sqrt(8 * num_targets + 1)) / 2
    return int(np.clip(np.floor(bound + 1e-9), 1, MOST_FACTORS))


def choose_dimension(correct: np.ndarray, categories: np.ndarray, seed: int = 0) -> Dimension:
    """Fit models of rising dimension without a tenth of the outcomes, and see which one predicts that tenth best.

    Of a small table, up to three tenths are hidden, one after the other.

    Whether targets have levels of their own in each category is decided first, with one factor.

    Args:
        correct: (Q, M) of 0, 1 and NaN.
        categories: (Q,) int from 0, the same number for all queries where nothing is known.
        seed: of the held-out outcomes and of the draws.
    """
    generator = np.random.default_rng(seed)
    rows = np.sort(generator.permutation(len(correct))[:MOST_QUERIES])
    correct, categories = correct[rows], np.unique(categories[rows], return_inverse=True)[1]
    part = np.where(np.isnan(correct), -1, generator.integers(NUM_PARTS, size=correct.shape))
    num_parts = int(np.clip(np.ceil(ENOUGH * NUM_PARTS / correct.size), 1, MOST_PARTS))
    hidden = [part == number for number in range(num_parts)]
    scores: dict[FactorModel, np.ndarray] = {}

    def score(model: FactorModel) -> float:
        scores[model] = np.concatenate([_scores(model, correct, categories, some, seed) for some in hidden])
        return float(scores[model].mean())

    limit = most_factors(correct.shape[1])
    plain = score(FactorModel(0)), score(FactorModel(1))
    queries = np.concatenate([np.nonzero(some)[0] for some in hidden])
    with_categories = False
    if categories.max(initial=0) > 0:
        score(FactorModel(1, True))
        plainly = _fit(FactorModel(1), scores[FactorModel(1)], scores[FactorModel(1, True)], queries)
        with_categories = plainly.behind > EVIDENCE * plainly.standard_error
    best = float(scores[FactorModel(1, True)].mean()) if with_categories else max(plain)
    fruitless = 0
    for number in range(2, limit + 1):
        found = score(FactorModel(number, with_categories))
        fruitless = 0 if found > best else fruitless + 1
        best = max(best, found)
        if fruitless == PATIENCE:
            break
    chosen = max(scores, key=lambda model: scores[model].mean())
    fits = tuple(_fit(model, scores[model], scores[chosen], queries) for model in scores)
    near = [fit.model for fit in fits if fit.behind <= fit.standard_error]
    sparest = min(near, key=lambda model: (model.num_factors, model.with_categories))
    return Dimension(fits, chosen, sparest, chosen.num_factors == limit)


def _scores(
    model: FactorModel, correct: np.ndarray, categories: np.ndarray, hidden: np.ndarray, seed: int
) -> np.ndarray:
    """Log-likelihoods (H,) of the hidden outcomes under the mean of the draws."""
    seen = np.where(hidden, np.nan, correct)
    draws: Iterator[np.ndarray] = model.draws(
        seen, categories, num_draws=NUM_DRAWS, burn_in=BURN_IN, every=EVERY, seed=seed
    )
    mean = sum(draw[hidden] for draw in draws) / NUM_DRAWS
    truth = correct[hidden] == 1
    return np.log(np.clip(np.where(truth, mean, 1.0 - mean), 1e-9, None))


def _fit(model: FactorModel, scores: np.ndarray, best: np.ndarray, queries: np.ndarray) -> Fit:
    behind = best - scores
    by_query = np.bincount(queries, behind - behind.mean())
    error = float(np.sqrt((by_query**2).sum()) / len(scores))
    return Fit(model, float(scores.mean()), float(behind.mean()), error)
