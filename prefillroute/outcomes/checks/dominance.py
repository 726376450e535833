"""Targets that another one beats or equals everywhere, at no greater cost."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from prefillroute.metrics.equal_costs import TOLERANCE
from prefillroute.outcomes.checks.contract import NAMES_SHOWN, NOTE, Check, Evidence, Finding
from prefillroute.outcomes.checks.prices import valid_prices
from prefillroute.outcomes.prices import token_cost

# Q = queries, M = targets, G = groups of queries


def dominating(correct: np.ndarray, cost_usd: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Which target dominates which in every group of queries.

    Target i dominates j if on the queries of which both outcomes are known, i is at least as accurate in every group,
    costs no more on average over all of them, and is better in one of these.

    Args:
        correct: (Q, M) outcomes, NaN where missing.
        cost_usd: (Q, M) costs; a pair that has an unknown cost on a shared query is never decided.
        group: (Q,) int codes from 0.

    Returns:
        (M, M) bool.

    Example:
        >>> correct = np.array([[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
        >>> dominating(correct, np.ones((2, 3)), np.array([0, 1]))
        array([[False,  True,  True],
               [False, False, False],
               [False, False, False]])
    """
    known = ~np.isnan(correct)
    value = np.where(known, correct, 0.0)
    member = (group[:, None] == np.arange(group.max(initial=-1) + 1)).astype(np.float64)  # (Q, G)
    num_targets = correct.shape[1]
    found = np.zeros((num_targets, num_targets), dtype=bool)
    for i in range(num_targets):
        both = known & known[:, [i]]
        gain = member.T @ (both * (value[:, [i]] - value))  # (G, M) right answers more than j
        saving = np.where(both, cost_usd - cost_usd[:, [i]], 0.0).sum(axis=0)  # (M,) USD less than j
        near = TOLERANCE * np.where(both, np.maximum(cost_usd, cost_usd[:, [i]]), 0.0).sum(axis=0)
        few = 1e-9 * len(correct)
        no_worse = (gain >= -few).all(axis=0) & (saving >= -near)  # False where a cost is NaN
        better = (gain > few).any(axis=0) | (saving > near)
        found[i] = no_worse & better & both.any(axis=0)
    return found


class Dominated(Check):
    """Such a target may still be right where the other is wrong, so a router can gain from it, but seldom does."""

    def find(self, pool: Evidence) -> Iterator[Finding]:
        """One line: who is dominated in every benchmark and category, and by whom."""
        if pool.outcomes is None or (prices := valid_prices(pool.measured)) is None:
            return
        tokens = token_cost(pool.outcomes.prompt_tokens, pool.outcomes.completion_tokens, *prices)
        cost = np.where(np.isnan(pool.outcomes.cost_usd), tokens, pool.outcomes.cost_usd)
        # A call without a recorded cost is given its target's mean, as in `pool show`.
        cost = np.where(np.isnan(cost), pd.DataFrame(cost).mean().to_numpy(), cost)
        columns = pool.outcomes.queries[["benchmark", "category"]]
        group = columns.groupby(["benchmark", "category"], sort=False, dropna=False).ngroup().to_numpy()
        found = dominating(pool.outcomes.correct, cost, group)
        accuracy = pd.DataFrame(pool.outcomes.correct).mean().to_numpy()
        worse = np.flatnonzero(found.any(axis=0))
        if not len(worse):
            return
        names = pool.outcomes.targets
        by = [max(np.flatnonzero(found[:, j]), key=lambda i: accuracy[i]) for j in worse]
        pairs = [f"{names[j]} by {names[i]}" for j, i in zip(worse, by, strict=True)]
        more = f" and {len(pairs) - NAMES_SHOWN} more" if len(pairs) > NAMES_SHOWN else ""
        what = (
            f"in each of {group.max() + 1} categories, {len(worse)} of {len(names)} targets: "
            f"{'; '.join(pairs[:NAMES_SHOWN])}{more}"
        )
        yield Finding(
            NOTE, "dominated", what, "a smaller pool trains faster: pool.exclude leaves targets out"
        )
