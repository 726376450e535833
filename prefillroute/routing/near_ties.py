"""Handles near ties: queries whose two best scores agree to the last digits at an operating point, so that rounding
decides between them.

The envelope is computed from crossings, whereas recomputing the argmax at a lambda compares rounded scores. The two can
only differ where another target comes within rounding of the chosen one, for instance two targets at one price whose
confidences differ in the sixteenth digit. Margins are linear in lambda, so checking the first and the last operating
point of every stretch finds all such places, and only those are recomputed.
"""

from dataclasses import dataclass

import numpy as np

from prefillroute.routing.policies.contract import choose_greatest
from prefillroute.routing.scores import lambda_scores

# N = queries, M = targets, S = operating points, K = stretches (a query staying with one target)

MAX_RECOMPUTED = 20_000_000
"""Limit on recomputed scores (seconds, hundreds of MB). It is only reached when a pool holds the same target twice, up
to noise, for many thousand queries; beyond it the envelope's own choice stands, which is right up to that noise."""

BLOCK = 2048
"""Stretches processed together: their arrays stay in the processor's cache."""


@dataclass(frozen=True)
class Stretches:
    """For every query, the runs of operating points over which it stays with one target; all arrays are (K,)."""

    query: np.ndarray
    target: np.ndarray
    begin: np.ndarray
    """First operating point."""
    end: np.ndarray
    """One past the last operating point."""

    @classmethod
    def from_switches(
        cls, first: np.ndarray, query: np.ndarray, point: np.ndarray, target: np.ndarray, num_points: int
    ) -> "Stretches":
        """Build from targets at lambda = 0 (N,) and switches (E,) ordered by query, then lambda."""
        query_of = np.concatenate([np.arange(len(first)), query])
        in_order = np.argsort(query_of, kind="stable")
        query_of = query_of[in_order]
        begin = np.concatenate([np.zeros(len(first), dtype=np.int64), point])[in_order]
        target_of = np.concatenate([first, target])[in_order]
        follows = np.append(query_of[1:] == query_of[:-1], False)
        end = np.where(follows, np.append(begin[1:], num_points), num_points)
        kept = begin < end
        return cls(query_of[kept], target_of[kept], begin[kept], end[kept])


def near_tie_switches(
    stretches: Stretches,
    confidence: np.ndarray,
    relative_cost: np.ndarray,
    cost_usd: np.ndarray,
    lambda_: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Find the switches to add so that every point equals the argmax recomputed at its lambda in float64.

    Args:
        stretches: the envelope's choice; confidence, relative_cost, cost_usd: (N, M); lambda_: (S,).

    Returns:
        point, query, source, target: (F,) each; usually F = 0.
    """
    blocks = [
        _within_rounding(stretches, slice(start, start + BLOCK), confidence, relative_cost, lambda_)
        for start in range(0, len(stretches.query), BLOCK)
    ]
    close = np.concatenate(blocks)
    found: list[tuple[np.ndarray, ...]] = []
    budget = MAX_RECOMPUTED
    for index in np.flatnonzero(close.any(axis=1)):
        query, target = stretches.query[index], stretches.target[index]
        points = np.arange(stretches.begin[index], stretches.end[index])
        rivals = np.union1d(np.flatnonzero(close[index]), [target])  # in pool order, for ties
        budget -= len(points) * len(rivals)
        if budget < 0:
            break
        scores = lambda_scores(
            confidence[query, rivals], relative_cost[query, rivals], lambda_[points][:, None]
        )
        chosen = rivals[choose_greatest(scores, np.broadcast_to(cost_usd[query, rivals], scores.shape))]
        # Walk through the recomputed choices, starting and ending at the stretch's own target.
        walk = np.concatenate([[target], chosen, [target]])
        change = np.flatnonzero(walk[1:] != walk[:-1])
        found.append((points[0] + change, np.full(len(change), query), walk[change], walk[change + 1]))
    if not found:
        return (np.empty(0, dtype=np.int64),) * 4
    point, query_of, source, destination = (np.concatenate(column) for column in zip(*found, strict=True))
    return point, query_of, source, destination


def _within_rounding(
    stretches: Stretches,
    block: slice,
    confidence: np.ndarray,
    relative_cost: np.ndarray,
    lambda_: np.ndarray,
) -> np.ndarray:
    """Mark, for a block of stretches, the targets (K, M) that come within rounding of the chosen one somewhere."""
    query, target = stretches.query[block], stretches.target[block]
    height, cost = confidence[query], relative_cost[query]  # (K, M)
    rows = np.arange(len(query))
    lead = height[rows, target][:, None] - height
    dearer = cost[rows, target][:, None] - cost
    rounding = 16.0 * np.finfo(float).eps * (1.0 + np.abs(cost).max(axis=1, keepdims=True))
    first, last = lambda_[stretches.begin[block]][:, None], lambda_[stretches.end[block] - 1][:, None]
    margin = np.minimum((1.0 - first) * lead - first * dearer, (1.0 - last) * lead - last * dearer)
    # Rounding is monotone: a target that is no more confident and costs more never scores more; ties go to the cheaper.
    harmless = ((lead >= 0) & (dearer < 0)) | ((lead == 0) & (dearer == 0))
    return (margin < rounding) & ~harmless
