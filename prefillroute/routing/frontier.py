"""The exact accuracy-cost frontier: every operating point that lambda can reach, listed once (DESIGN section 5)."""

from dataclasses import dataclass, replace

import numpy as np

from prefillroute.errors import UserError
from prefillroute.metrics.equal_costs import level_costs
from prefillroute.routing.envelope import upper_envelope
from prefillroute.routing.near_ties import Stretches, near_tie_switches
from prefillroute.routing.policies.contract import check_finite
from prefillroute.routing.scores import normalised_cost

# N = queries, M = targets, S = operating points, E = switches, B = resamples

RESOLUTION = 1e-12
"""Switches closer than this in lambda form one boundary: no float64 strictly between them could be trusted."""


@dataclass(frozen=True)
class Frontier:
    """Operating points in order of rising lambda, and the switches of single queries that lead from one to the next.

    Example:
        >>> confidence, cost = np.array([[0.5, 1.0]]), np.array([[0.0, 1.0]])
        >>> frontier = exact_frontier(confidence, cost, confidence, cost_range=(0.0, 1.0))
        >>> frontier.accuracy, frontier.cost_usd
        (array([1. , 0.5]), array([1., 0.]))
    """

    lambda_low: np.ndarray
    """(S,) where the point begins; the first is 0."""
    lambda_: np.ndarray
    """(S,) strictly inside: the argmax at it, in float64, gives exactly this point."""
    lambda_high: np.ndarray
    """(S,) where the next point begins; the last is 1."""
    cost_usd: np.ndarray
    """(S,) mean estimated cost per query."""
    accuracy: np.ndarray
    """(S,) mean outcome."""
    last: np.ndarray
    """(N,) target at the last point."""
    query: np.ndarray
    """(E,) row that switches, latest switch first."""
    source: np.ndarray
    """(E,) target before the switch."""
    target: np.ndarray
    """(E,) target after the switch."""
    later: np.ndarray
    """(S,) number of switches that come after each point."""
    values: tuple[np.ndarray, np.ndarray]
    """Estimated costs and outcomes (N, M) that the points average."""

    def __len__(self) -> int:
        return len(self.lambda_)

    def means(self, values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """Average values (N, M) of the chosen targets at every operating point.

        The points are summed from the cheap end, where costs only add up: nothing cancels, so the small costs at that
        end keep their digits.

        Args:
            values: (N, M), complete.
            weights: (B, N) or None.

        Returns:
            (S,) without weights, (B, S) with them; NaN where a resample is empty.
        """
        rows = np.ones((1, len(values))) if weights is None else weights
        total = rows.sum(axis=1)
        base = rows @ values[np.arange(len(values)), self.last]
        change = values[self.query, self.source] - values[self.query, self.target]
        sums = np.zeros((len(rows), len(change) + 1))
        np.cumsum(rows[:, self.query] * change, axis=1, out=sums[:, 1:])
        mean = (base[:, None] + sums[:, self.later]) / np.where(total > 0, total, np.nan)[:, None]
        return mean[0] if weights is None else mean

    def reweighted(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Recompute mean cost and accuracy (B, S) under query weights (B, N), without sorting anything again."""
        cost_usd, correct = self.values
        return self.means(cost_usd, weights), self.means(correct, weights)


def exact_frontier(
    confidence: np.ndarray, cost_usd: np.ndarray, correct: np.ndarray, cost_range: tuple[float, float]
) -> Frontier:
    """Sweep lambda over [0, 1] exactly.

    Args:
        confidence: (N, M); cost_usd: (N, M) estimated USD; correct: (N, M) complete outcomes.
        cost_range: (c_lo, c_hi) over training queries x targets.

    Returns:
        The frontier: piecewise constant in lambda, one point per segment.

    Raises:
        UserError: there is no query, or a value is NaN or infinite.
    """
    if confidence.size == 0:
        raise UserError(f"frontier: expected at least one query and one target, found {confidence.shape}")
    check_finite(confidence=confidence, cost_usd=cost_usd, correct=correct)
    levelled = level_costs(cost_usd)
    relative = normalised_cost(levelled, cost_range)
    check_finite(normalised_cost=relative)
    envelope = upper_envelope(confidence, relative, levelled)

    boundary_low, boundary_high, boundary_of = _boundaries(envelope.position)
    lambda_ = (boundary_high[:-1] + boundary_low[1:]) / 2.0
    num_points = len(lambda_)

    # A switch at boundary k takes effect from point k on; at the last boundary (lambda = 1) it never does.
    early = boundary_of < num_points
    point, query = boundary_of[early], envelope.query[early]
    source, target = envelope.source[early], envelope.target[early]
    last = envelope.first.copy()
    # numpy keeps the last assignment, and the envelope is ordered by lambda within a query.
    last[query] = target

    stretches = Stretches.from_switches(envelope.first, query, point, target, num_points)
    fixes = near_tie_switches(stretches, confidence, relative, levelled, lambda_)
    point, query, source, target = (
        np.concatenate(pair) for pair in zip((point, query, source, target), fixes, strict=True)
    )
    kept = point < num_points  # a near tie that lasts to the end never switches back
    last[fixes[1][fixes[0] == num_points]] = fixes[2][fixes[0] == num_points]
    latest_first = np.flatnonzero(kept)[np.argsort(-point[kept], kind="stable")]
    query, source, target = query[latest_first], source[latest_first], target[latest_first]
    later = len(latest_first) - np.searchsorted(np.sort(point[kept]), np.arange(num_points), side="right")
    cost_and_outcome = (np.asarray(cost_usd, dtype=float), np.asarray(correct, dtype=float))
    bare = Frontier(
        lambda_low=np.append(0.0, boundary_high[1:-1]),
        lambda_=lambda_,
        lambda_high=np.append(boundary_high[1:-1], 1.0),
        cost_usd=np.empty(0),
        accuracy=np.empty(0),
        last=last,
        query=query,
        source=source,
        target=target,
        later=later,
        values=cost_and_outcome,
    )
    return replace(bare, cost_usd=bare.means(cost_and_outcome[0]), accuracy=bare.means(cost_and_outcome[1]))


def _boundaries(position: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gather switches (E,), and the ends 0 and 1, into boundaries no closer than RESOLUTION.

    Returns:
        Least and greatest lambda of every boundary (S + 1,), and the boundary of every switch (E,).
    """
    ends = np.concatenate([[0.0, 1.0], position])
    in_order = np.argsort(ends, kind="stable")
    ranked = ends[in_order]
    opens = np.append(True, np.diff(ranked) > RESOLUTION)
    boundary = np.empty(len(ends), dtype=np.int64)
    boundary[in_order] = np.cumsum(opens) - 1
    starts = np.flatnonzero(opens)
    stops = np.append(starts[1:], len(ranked)) - 1
    return ranked[starts], ranked[stops], boundary[2:]
