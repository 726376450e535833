"""What a perfect predictor of probabilities could gain by routing, which is less than the oracle gains.

The oracle knows the outcomes themselves, luck included. No predictor can know whether a coin will land on its head, so
the yardstick is a router that knows every probability. The probabilities come from a model of the outcome table (see
`outcomes.factors`): what targets have in common over queries, and what each one has in a category, is taken for
something that can be known of a query, and the rest for luck.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prefillroute.errors import UserError
from prefillroute.metrics.hull_gain import hull_gains
from prefillroute.metrics.pool_points import PoolPoints
from prefillroute.outcomes.factors.dimension import Dimension, choose_dimension
from prefillroute.routing.frontier import exact_frontier

# Q = queries, N = those on which gains are measured, M = targets, D = draws

NUM_DRAWS, BURN_IN, EVERY = 100, 300, 4
FORM = 0.1
"""Relative standard error that the form of the model is worth, beside that of its numbers: simulated logistic tables of
a few factors are off by about so much. What no two targets share is not seen at all, however much data there is: tables
in which each target has abilities of its own, or of dozens of families without categories, have far higher ceilings."""
LEAST_TARGETS = 12
LEAST_QUERIES = 500
"""With fewer the estimate is far too low: simulated tables of 500 queries, with four factors beside difficulty, show 12
of 18 points with 8 targets, and 1 of 14 with 5."""
MISFIT = 0.01
"""Accuracy by which the oracle may differ from a simulated one beyond the simulation's own interval."""


@dataclass(frozen=True)
class Gains:
    """What a way of routing gains; each one (D,), one value for each draw of the probabilities."""

    accuracy: np.ndarray
    """Every query to its most probable target (lambda = 0), less the best single target."""
    hull: np.ndarray
    """`hull_gain`; NaN where the cheapest target is free."""


@dataclass(frozen=True)
class Attainable:
    """A ceiling, and what it is made from."""

    perfect: Gains
    """Of the router that knows the probabilities: expected gains, over draws from their posterior."""
    oracle: Gains
    """Of the router that knows the outcomes (one value each)."""
    simulated: Gains
    """Of the router that knows outcomes simulated from each draw: what `oracle` would be if the model were true."""
    dimension: Dimension
    num_queries: int
    """Q"""
    num_targets: int
    """M"""

    @property
    def doubt(self) -> str | None:
        """Why the estimate cannot be trusted, in words; None where nothing speaks against it."""
        if self.num_targets < LEAST_TARGETS:
            return (
                f"a ceiling needs at least {LEAST_TARGETS} targets, found {self.num_targets}: what so few share is too "
                "little to tell luck from ability"
            )
        if self.num_queries < LEAST_QUERIES:
            return f"a ceiling needs at least {LEAST_QUERIES} queries, found {self.num_queries}"
        if self.dimension.at_limit:
            return (
                f"the held-out likelihood still rises at {self.dimension.best.num_factors} factors, the most that "
                f"are tried with {self.num_targets} targets"
            )
        low, high = np.quantile(self.simulated.accuracy, [0.025, 0.975])
        oracle = self.oracle.accuracy[0]
        if not low - MISFIT <= oracle <= high + MISFIT:
            return (
                f"the model does not fit: were it true, the oracle would gain {low:.3f} to {high:.3f} in accuracy, "
                f"and it gains {oracle:.3f}"
            )
        return None


def unfit(correct: np.ndarray) -> str | None:
    """Why there can be no estimate for outcomes (Q, M), in words; None where there can.

    Example:
        >>> unfit(np.array([[0.5, 1.0], [0.0, 1.0]]))
        'expected outcomes of 0 and 1, found 0.5; repeated samples and partial scores are not modelled'
    """
    known = correct[~np.isnan(correct)]
    partial = known[(known != 0) & (known != 1)]
    if len(partial):
        return (
            f"expected outcomes of 0 and 1, found {partial[0]:g}; repeated samples and partial scores are not "
            "modelled"
        )
    if correct.shape[1] < 2:
        return "expected at least two targets to choose between, found one"
    return None


def attainable(
    correct: np.ndarray,
    cost_usd: np.ndarray,
    rows: np.ndarray | None = None,
    categories: np.ndarray | None = None,
    *,
    num_draws: int = NUM_DRAWS,
    seed: int = 0,
) -> Attainable:
    """Estimate what a perfect predictor of probabilities could gain.

    Args:
        correct: (Q, M) of 0, 1 and NaN: the model is fitted to all of them.
        cost_usd: (Q, M) estimated USD.
        rows: (N,) rows with complete outcomes on which gains are measured; all complete ones by default.
        categories: (Q,) int from 0; none by default.
        num_draws: D.
        seed: of everything random.

    Raises:
        UserError: there can be no estimate, see `unfit`.
    """
    if (reason := unfit(correct)) is not None:
        raise UserError(f"correct: {reason}")
    if rows is None:
        rows = np.flatnonzero(~np.isnan(correct).any(axis=1))
    if categories is None:
        categories = np.zeros(len(correct), dtype=np.int64)
    categories = np.unique(categories, return_inverse=True)[1]
    generator = np.random.default_rng(seed)
    dimension = choose_dimension(correct, categories, seed)
    cost = cost_usd[rows]
    perfect, simulated = [], []
    for model in dimension.kept:
        share = num_draws // len(dimension.kept)
        for draw in model.draws(
            correct, categories, num_draws=share, burn_in=BURN_IN, every=EVERY, seed=seed + 1
        ):
            probability = draw[rows]
            outcome = (generator.random(probability.shape) < probability).astype(float)
            perfect.append(gains(probability, probability, cost))
            simulated.append(gains(outcome, outcome, cost))
    oracle = gains(correct[rows], correct[rows], cost)
    spread = np.exp(FORM * generator.normal(size=(len(perfect), 1)))
    return Attainable(
        _stack(np.array(perfect) * spread), _stack([oracle]), _stack(simulated), dimension, *correct.shape
    )


def gains(confidence: np.ndarray, correct: np.ndarray, cost_usd: np.ndarray) -> tuple[float, float]:
    """Accuracy gained at lambda 0 over the best single target, and hull gain, of confidences (N, M).

    Args:
        confidence: what the router believes.
        correct: outcomes, or probabilities, for expected gains.
        cost_usd: estimates; of equal confidences the cheaper target is taken.

    Example:
        >>> correct = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
        >>> [round(gain, 3) for gain in gains(correct, correct, np.tile([1.0, 2.0], (3, 1)))]
        [0.333, 0.252]
    """
    frontier = exact_frontier(confidence, cost_usd, correct, (float(cost_usd.min()), float(cost_usd.max())))
    points = PoolPoints.from_outcomes(correct, cost_usd, np.ones((1, len(correct))))
    hull = hull_gains(frontier.cost_usd[None], frontier.accuracy[None], points)[0][0]
    best = points.accuracy_of(points.best)[0]
    return float(frontier.accuracy[0] - best), float(hull)


def _stack(found: Sequence[tuple[float, float]] | np.ndarray) -> Gains:
    accuracy, hull = np.asarray(found).T
    return Gains(accuracy, hull)
