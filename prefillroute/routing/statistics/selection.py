"""Metrics by which routers are selected: their quality on rows outside test (paper section 4.2).

They are measured on calibration rows or, where a run has none, on out-of-fold rows. The calibrator may have seen these
rows. A strictly monotone calibrator cannot change the AUC; among calibrations of one predictor the Brier score decides,
on the rows on which all of them were fitted.
"""

import numpy as np

from prefillroute.metrics.brier import brier
from prefillroute.metrics.hull_gain import hull_gains
from prefillroute.metrics.masked_mean import masked_mean
from prefillroute.metrics.pool_points import PoolPoints
from prefillroute.metrics.roc_auc import roc_auc
from prefillroute.routing.frontier import exact_frontier
from prefillroute.routing.statistics.contract import SelectionStatistic, Shown
from prefillroute.routing.table import ConfidenceTable

NO_GAIN = "no calibration or out-of-fold row with every target's outcome, or the cheapest target is free"
NO_SCORE = "no calibration or out-of-fold row with an outcome, or one class only for every target"


def selection_auc(table: ConfidenceTable) -> np.ndarray:
    """Mean AUC over targets; confidences that are NaN are left out."""
    known = ~np.isnan(table.confidence)
    return masked_mean(roc_auc(table.confidence, np.where(known, table.labels, np.nan))[:, None])


def selection_brier(table: ConfidenceTable) -> np.ndarray:
    """Mean Brier score over targets."""
    return masked_mean(brier(table.confidence, table.correct)[:, None])


def selection_hull_gain(table: ConfidenceTable) -> np.ndarray:
    """Hull gain on the rows with every target's outcome; the range of costs is that of these rows."""
    known = table.select(table.complete & ~np.isnan(table.confidence).any(axis=1))
    if len(known) == 0:
        return np.array([np.nan])
    cost_range = (float(known.cost_usd.min()), float(known.cost_usd.max()))
    frontier = exact_frontier(known.confidence, known.cost_usd, known.correct, cost_range)
    points = PoolPoints.from_outcomes(known.correct, known.cost_usd, np.ones((1, len(known))))
    router_cost = np.array([known.router_cost.mean()])
    cost = frontier.cost_usd[None] + router_cost[:, None]
    return hull_gains(cost, frontier.accuracy[None], points, router_cost=router_cost)[0]


SELECTION_AUC = SelectionStatistic(
    key="selection_auc",
    compute=selection_auc,
    place=10,
    reasons=(),
    otherwise=NO_SCORE,
    shown=Shown(
        label="AUC to select by",
        form="decimal",
        better="higher",
        meaning="mean AUC on the calibration or out-of-fold rows: choose between routers by it, not by test",
        place=40,
    ),
)
SELECTION_BRIER = SelectionStatistic(
    key="selection_brier",
    compute=selection_brier,
    place=20,
    reasons=(),
    otherwise=NO_SCORE,
    shown=Shown(
        label="Brier to select by",
        form="decimal",
        better="lower",
        meaning="mean Brier score on the same rows, which the calibrator has seen",
        place=50,
    ),
)
SELECTION_HULL_GAIN = SelectionStatistic(
    key="selection_hull_gain",
    compute=selection_hull_gain,
    place=30,
    reasons=(),
    otherwise=NO_GAIN,
    shown=Shown(
        label="hull gain to select by",
        form="percentage points",
        better="higher",
        meaning="hull gain on the same rows",
        place=55,
    ),
)
