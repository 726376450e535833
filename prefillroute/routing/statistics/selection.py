"""Metrics by which routers are selected: their quality on rows outside test (paper section 4.2).

They are measured on calibration rows or, where a run has none, on out-of-fold rows. The calibrator may have seen these
rows. A strictly monotone calibrator cannot change the AUC; among calibrations of one predictor the Brier score decides,
on the rows on which all of them were fitted.
"""

import numpy as np

from prefillroute.metrics.brier import brier
from prefillroute.metrics.masked_mean import masked_mean
from prefillroute.metrics.roc_auc import roc_auc
from prefillroute.routing.statistics.contract import SelectionStatistic, Shown
from prefillroute.routing.table import ConfidenceTable

NO_SCORE = "no calibration or out-of-fold row with an outcome, or one class only for every target"


def selection_auc(table: ConfidenceTable) -> np.ndarray:
    """Mean AUC over targets; confidences that are NaN are left out."""
    known = ~np.isnan(table.confidence)
    return masked_mean(roc_auc(table.confidence, np.where(known, table.labels, np.nan))[:, None])


def selection_brier(table: ConfidenceTable) -> np.ndarray:
    """Mean Brier score over targets."""
    return masked_mean(brier(table.confidence, table.correct)[:, None])


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
