"""Finds the target each query goes to as lambda rises from 0 to 1: the upper envelope of M lines per query.

Under eq. 3 the score of target m is a line in lambda, p_m - lambda (p_m + c~_m). The walk starts at the most confident
target; the next one is the cheaper target whose line is crossed first. All queries take that step together.
"""

from dataclasses import dataclass

import numpy as np

# N = queries, M = targets, E = switches of all queries together


@dataclass(frozen=True)
class Envelope:
    """The switches between targets, ordered by query and then by lambda."""

    first: np.ndarray
    """(N,) target at lambda = 0."""
    query: np.ndarray
    """(E,) row of the query that switches."""
    position: np.ndarray
    """(E,) lambda at which it switches, in [0, 1]; non-decreasing within a query."""
    source: np.ndarray
    """(E,) target before the switch."""
    target: np.ndarray
    """(E,) target after the switch."""


BLOCK = 1024
"""Queries processed together: their arrays stay in the processor's cache, which is about twice as fast."""


def upper_envelope(confidence: np.ndarray, relative_cost: np.ndarray, cost_usd: np.ndarray) -> Envelope:
    """Walk along the upper envelope of every query's score lines.

    Args:
        confidence: (N, M); relative_cost: (N, M) normalised costs; cost_usd: (N, M), for ties only.

    Returns:
        The envelope. Where lines coincide or meet in one point, it takes the one that the tie rule prefers (the
        cheaper target, then pool order).
    """
    blocks = [
        _walk(confidence[rows], relative_cost[rows], cost_usd[rows])
        for rows in (slice(start, start + BLOCK) for start in range(0, len(confidence), BLOCK))
    ]
    return Envelope(
        first=np.concatenate([block.first for block in blocks]),
        query=np.concatenate([block.query + index * BLOCK for index, block in enumerate(blocks)]),
        position=np.concatenate([block.position for block in blocks]),
        source=np.concatenate([block.source for block in blocks]),
        target=np.concatenate([block.target for block in blocks]),
    )


def _walk(confidence: np.ndarray, relative_cost: np.ndarray, cost_usd: np.ndarray) -> Envelope:
    # The columns are sorted by the tie rule, so that argmax and argmin, which take the first, decide ties by it.
    order = np.lexsort((cost_usd, -confidence, relative_cost), axis=1)
    height = np.take_along_axis(confidence, order, axis=1)
    cost = np.take_along_axis(relative_cost, order, axis=1)
    current = height.argmax(axis=1)
    first = current.copy()
    reached = np.zeros(len(confidence))
    active = np.arange(len(confidence))
    steps: list[tuple[np.ndarray, ...]] = []
    while len(active):
        here = current[active]
        # Only cheaper targets qualify, and they all stand to the left of the rightmost current target.
        left = max(int(here.max()), 1)
        drop = height[active, here][:, None] - height[active, :left]
        saving = cost[active, here][:, None] - cost[active, :left]
        # The crossing is at drop / (drop + saving); the odds, drop / saving, order crossings safely under rounding.
        with np.errstate(over="ignore", under="ignore"):
            odds = np.divide(drop, saving, out=np.full(drop.shape, np.inf), where=saving > 0)
        there = odds.argmin(axis=1)
        rows = np.flatnonzero(np.isfinite(odds[np.arange(len(active)), there]))
        active, here, there = active[rows], here[rows], there[rows]
        fall = drop[rows, there]
        # Rounding may put a crossing a hair before the one that led here.
        reached[active] = np.maximum(fall / (fall + saving[rows, there]), reached[active])
        steps.append((active, reached[active], here, there))
        current[active] = there
    query, position, source, target = (np.concatenate(column) for column in zip(*steps, strict=True))
    by_query = np.argsort(query, kind="stable")
    query = query[by_query]
    return Envelope(
        first=order[np.arange(len(order)), first],
        query=query,
        position=position[by_query],
        source=order[query, source[by_query]],
        target=order[query, target[by_query]],
    )
