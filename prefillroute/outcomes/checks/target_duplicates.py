"""Targets whose outcomes agree almost everywhere: perhaps one model under two names."""

from collections.abc import Iterator

import numpy as np

from prefillroute.outcomes.checks.contract import WARNING, Check, Evidence, Finding

# Q = queries, M = targets

LEAST_KAPPA = 0.9
"""Cohen's kappa: agreement beyond what the two accuracies make likely. The two most alike of 33 models on MMLU-Pro
reach 0.73."""
LEAST_SHARED = 50
"""Queries that both have answered."""


def kappa(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cohen's kappa of every pair of targets over the queries that both have answered.

    Args:
        labels: (Q, M) of 0, 1 or NaN.

    Returns:
        (M, M) kappa, NaN where it is undefined (both always the same), and (M, M) number of shared queries.

    Example:
        >>> kappa(np.array([[1.0, 1.0], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]))[0].round(3)
        array([[1. , 0.5],
               [0.5, 1. ]])
    """
    right, wrong = (labels == 1).astype(np.float64), (labels == 0).astype(np.float64)
    both_right, both_wrong = right.T @ right, wrong.T @ wrong
    only_first, only_second = right.T @ wrong, wrong.T @ right
    shared = both_right + both_wrong + only_first + only_second
    with np.errstate(invalid="ignore", divide="ignore"):
        agreed = (both_right + both_wrong) / shared
        first, second = (both_right + only_first) / shared, (both_right + only_second) / shared
        chance = first * second + (1 - first) * (1 - second)
        found = np.where(chance < 1, (agreed - chance) / (1 - chance), np.nan)
    return found, shared


class TargetDuplicates(Check):
    """One model that is offered twice doubles its weight in every mean over targets."""

    def find(self, pool: Evidence) -> Iterator[Finding]:
        """One line per pair, at most three."""
        if pool.outcomes is None:
            return
        values, shared = kappa(pool.outcomes.labels)
        pairs = np.argwhere(np.triu((values >= LEAST_KAPPA) & (shared >= LEAST_SHARED), k=1))
        names = pool.outcomes.targets
        shown = [f"{names[i]} and {names[j]} (kappa {values[i, j]:.2f})" for i, j in pairs]
        if shown:
            more = f" and {len(shown) - 3} more pairs" if len(shown) > 3 else ""
            what = f"almost equal outcomes, perhaps one model under two names: {'; '.join(shown[:3])}{more}"
            yield Finding(
                WARNING, "targets", what, "check where the outcomes come from; pool.exclude leaves one out"
            )
