"""The curve of one run, cut down to what the page shows: one operating point per position of the slider for lambda."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prefillroute.errors import UserError
from prefillroute.reports.pool_plane import PoolPlane, pool_plane
from prefillroute.reports.run_folder import (
    CURVE_FILE,
    TestPart,
    cost_range_of,
    read_curve,
    read_test_part,
)
from prefillroute.routing.frontier import exact_frontier

# N = complete test queries, M = targets, L = positions of the slider, S = operating points that it reaches

SLIDERS = ((120, 1001), (240, 501), (2**31, 201))
"""(runs, positions): how many positions the slider has on a page with at most so many runs; the page stays small."""
_CELLS = 200
"""A drawn line has one corner per two-hundredth of its range of cost, on either axis."""


@dataclass(frozen=True)
class RunCurve:
    """The operating points of one run on the complete test queries."""

    targets: tuple[str, ...]
    plane: PoolPlane
    position: np.ndarray
    """(L,) which of the S points stands at each position of the slider; it never falls."""
    cost_usd: np.ndarray
    """(S,) mean cost per query, the number in curve.parquet."""
    accuracy: np.ndarray
    """(S,) the number in curve.parquet."""
    routed: np.ndarray
    """(S, M) number of queries that go to each target."""
    line: np.ndarray
    """(P, 2) cost and accuracy at the corners of the drawn line."""

    @property
    def shares(self) -> np.ndarray:
        """(S, M) shares of the queries."""
        return self.routed / self.plane.num_queries


def slider(num_runs: int) -> np.ndarray:
    """(L,) the values of lambda on the slider of a page with so many runs, from 0 to 1.

    Example:
        >>> len(slider(2)), len(slider(588)), float(slider(588)[1])
        (1001, 201, 0.005)
    """
    return np.linspace(0.0, 1.0, next(positions for runs, positions in SLIDERS if num_runs <= runs))


def run_curve(folder: Path, metrics: dict[str, Any], lambdas: np.ndarray) -> RunCurve:
    """Read what the page shows of a run's curve.

    Args:
        folder: the run's.
        metrics: its metrics.json.
        lambdas: (L,) positions of the slider.

    Raises:
        UserError: curve.parquet, predictions.parquet or the cost range is missing or damaged, or no query is complete.
    """
    targets = tuple(metrics["targets"])
    curve = read_curve(folder)
    test = read_test_part(folder, targets)
    if not test.complete.any():
        raise UserError(f"{folder}: expected test queries with every target's outcome, found none")
    lambda_low, routed = _routed(test, cost_range_of(folder, metrics))
    if len(curve) != len(lambda_low):
        raise UserError(
            f"{folder / CURVE_FILE}: expected {len(lambda_low)} operating points, as predictions.parquet has, "
            f"found {len(curve)}"
        )
    row = np.searchsorted(curve["lambda_low"].to_numpy(float), lambdas, side="right") - 1
    reached, position = np.unique(row, return_inverse=True)
    return RunCurve(
        targets=targets,
        plane=pool_plane(test),
        position=position,
        cost_usd=curve["cost_usd"].to_numpy(float)[reached],
        accuracy=curve["accuracy"].to_numpy(float)[reached],
        routed=routed[reached],
        line=_line(curve),
    )


def _routed(test: TestPart, cost_range: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Where each operating point begins, and the number of complete queries (points, M) that each target gets there."""
    rows = test.complete
    frontier = exact_frontier(test.confidence[rows], test.cost_usd[rows], test.correct[rows], cost_range)
    shape = (int(rows.sum()), test.confidence.shape[1])
    shares = [frontier.means(np.broadcast_to(one, shape)) for one in np.eye(shape[1])]
    return frontier.lambda_low, np.rint(np.column_stack(shares) * shape[0]).astype(np.int64)


def _line(curve: pd.DataFrame) -> np.ndarray:
    """Cost and accuracy (P, 2) of operating points that lie apart on raw cost (log) or on normalised inverse cost.

    The first and the last point and the one of greatest accuracy are among them.
    """
    cost, accuracy = curve["cost_usd"].to_numpy(float), curve["accuracy"].to_numpy(float)
    with np.errstate(divide="ignore"):
        axes = [_cells(np.log(cost)), _cells(curve["x"].to_numpy(float))]
    kept = np.any([np.diff(cells, prepend=-2) != 0 for cells in axes], axis=0)
    kept[[int(accuracy.argmax()), -1]] = True
    return np.column_stack([cost, accuracy])[kept]


def _cells(values: np.ndarray) -> np.ndarray:
    """The cell (S,) of each value on a grid over the finite values; cell -1 where a value is not finite."""
    finite = np.isfinite(values)
    if not finite.any():
        return np.full(len(values), -1)
    low, high = values[finite].min(), values[finite].max()
    share = (np.where(finite, values, low) - low) / max(high - low, 1e-300)
    return np.where(finite, np.floor(share * _CELLS), -1)
