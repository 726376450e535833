"""Where the pool's targets, the oracle and the static mixtures lie in the plane of mean cost and accuracy."""

from dataclasses import dataclass

import numpy as np

from prefillroute.metrics.hull_gain import concave_hull
from prefillroute.metrics.pool_points import PoolPoints
from prefillroute.reports.run_folder import TestPart


@dataclass(frozen=True)
class PoolPlane:
    """Mean estimated cost (USD per query) and accuracy on complete test queries (DESIGN sections 4 and 5)."""

    cost_usd: np.ndarray
    """(M,) mean costs; NaN if no query is complete."""
    accuracy: np.ndarray
    """(M,) accuracies; NaN if no query is complete."""
    pareto: np.ndarray
    """(M,) bool: which targets are on the Pareto front."""
    best: int | None
    """Index of the best single target; None if no query is complete."""
    hull: np.ndarray
    """(H, 2) cost and accuracy at the corners of the static-mixture hull, in order of rising cost."""
    oracle: tuple[float, float]
    """Mean cost and accuracy of always taking the cheapest of the best targets of each query."""
    num_queries: int
    num_left_out: int
    """Number of test queries that lack the outcome of some target."""


def pool_plane(test: TestPart) -> PoolPlane:
    """Compute where the pool lies on the queries of a test part."""
    rows = test.complete
    num_complete, num_left_out = int(rows.sum()), int((~rows).sum())
    if num_complete == 0:
        unknown = np.full(test.correct.shape[1], np.nan)
        front = np.zeros(len(unknown), dtype=bool)
        return PoolPlane(unknown, unknown, front, None, np.empty((0, 2)), (np.nan, np.nan), 0, num_left_out)
    points = PoolPoints.from_outcomes(test.correct[rows], test.cost_usd[rows], np.ones((1, num_complete)))
    return PoolPlane(
        cost_usd=points.cost[0],
        accuracy=points.accuracy[0],
        pareto=points.pareto[0],
        best=int(points.best[0]),
        hull=np.column_stack(concave_hull(points.cost[0], points.accuracy[0])),
        oracle=(float(points.oracle_cost[0]), float(points.oracle_accuracy[0])),
        num_queries=num_complete,
        num_left_out=num_left_out,
    )
