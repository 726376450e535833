"""Metrics by which routers are selected: their quality on rows outside test (paper section 4.2)."""

import numpy as np

from prefillroute.metrics.brier import brier
from prefillroute.metrics.masked_mean import masked_mean
from prefillroute.metrics.roc_auc import roc_auc
from prefillroute.routing.table import ConfidenceTable

# N = calibration or out-of-fold queries, M = targets


def selection_metrics(table: ConfidenceTable) -> dict[str, float]:
    """Mean AUC and Brier score over targets on the rows on which lambda is chosen.

    The calibrator may have seen these rows. A strictly monotone calibrator cannot change the AUC; among calibrations of
    one predictor the Brier score decides, on the rows on which all of them were fitted.

    Args:
        table: calibration rows or, where a run has none, out-of-fold rows; confidences that are NaN are left out.

    Returns:
        `selection_auc` and `selection_brier`, NaN where no target has a value.
    """
    known = ~np.isnan(table.confidence)
    by_target = {
        "selection_auc": roc_auc(table.confidence, np.where(known, table.labels, np.nan)),
        "selection_brier": brier(table.confidence, table.correct),
    }
    return {key: float(masked_mean(values[:, None])[0]) for key, values in by_target.items()}
