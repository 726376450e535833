"""Quality of the confidences: of each target on all its rows, and as means over targets."""

import numpy as np

from prefillroute.metrics.brier import brier
from prefillroute.metrics.calibration_error import NUM_BINS, calibration_error
from prefillroute.metrics.log_loss import log_loss
from prefillroute.metrics.roc_auc import roc_auc
from prefillroute.routing.statistics.contract import RouterStatistic, Shown, TargetStatistic
from prefillroute.routing.statistics.reasons import Reason, no_complete_query
from prefillroute.routing.statistics.view import RouterView

# B = resamples, M = targets

NO_OUTCOME = "no row with an outcome, or one class only for every target"


def no_outcome(view: RouterView) -> str | None:
    """No row with weight has an outcome."""
    return NO_OUTCOME if no_complete_query(view) else None


def no_auc(view: RouterView, target: int) -> str:
    """Why a target has no AUC."""
    observed = ~np.isnan(view.table.correct[:, target])
    return "one class only, or no rows; left out of mean_auc" if observed.any() else "no rows"


def mean_over_targets(
    statistic: TargetStatistic,
    *,
    place: float,
    shown: Shown,
    reasons: tuple[Reason, ...] = (),
    otherwise: str = NO_OUTCOME,
) -> RouterStatistic:
    """The mean of a target's statistic; a target for which it is undefined is left out."""

    def mean(view: RouterView) -> np.ndarray:
        values = view[statistic]
        count = (~np.isnan(values)).sum(axis=1)
        total = np.nansum(values, axis=1)
        return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)

    return RouterStatistic(
        key=f"mean_{statistic.key}",
        compute=mean,
        place=place,
        centred=statistic.centred,
        reasons=reasons,
        otherwise=otherwise,
        shown=shown,
    )


AUC = TargetStatistic(
    key="auc",
    compute=lambda view: roc_auc(view.table.confidence, view.table.labels, view.weights),
    place=10,
    why=no_auc,
    shown=Shown(
        label="AUC",
        form="decimal",
        better="higher",
        meaning="ROC-AUC of the confidence",
        place=20,
        with_interval=True,
    ),
)
BRIER = TargetStatistic(
    key="brier",
    compute=lambda view: brier(view.table.confidence, view.table.correct, view.weights),
    place=20,
    shown=Shown(
        label="Brier",
        form="decimal",
        better="lower",
        meaning="mean squared error of the confidence",
        place=30,
    ),
)
ECE = TargetStatistic(
    key="ece",
    compute=lambda view: calibration_error(view.table.confidence, view.table.correct, view.weights),
    place=30,
    centred=True,
    shown=Shown(
        label="ECE",
        form="decimal",
        better="lower",
        meaning=f"calibration error in {NUM_BINS} equal-width bins",
        place=40,
    ),
)
LOG_LOSS = TargetStatistic(
    key="log_loss",
    compute=lambda view: log_loss(view.table.confidence, view.table.correct, view.weights),
    place=40,
    shown=Shown(
        label="log loss",
        form="decimal",
        better="lower",
        meaning="negative log likelihood in nats",
        place=50,
    ),
)

MEAN_AUC = mean_over_targets(
    AUC,
    place=10,
    reasons=(no_outcome,),
    otherwise="every target has one class only",
    shown=Shown(
        label="mean AUC",
        form="decimal",
        better="higher",
        meaning="ROC-AUC of the confidence, mean over targets",
        place=10,
        on=("table", "card", "headline", "sweep"),
    ),
)
MEAN_BRIER = mean_over_targets(
    BRIER,
    place=20,
    shown=Shown(
        label="mean Brier",
        form="decimal",
        better="lower",
        meaning="squared error of the confidence, mean over targets",
        place=20,
        on=("table", "card", "headline", "sweep"),
    ),
)
MEAN_ECE = mean_over_targets(
    ECE,
    place=30,
    shown=Shown(
        label="mean ECE",
        form="decimal",
        better="lower",
        meaning=f"calibration error, {NUM_BINS} bins, mean over targets",
        place=30,
        on=("table", "headline"),
    ),
)
MEAN_LOG_LOSS = mean_over_targets(
    LOG_LOSS,
    place=40,
    shown=Shown(
        label="mean log loss",
        form="decimal",
        better="lower",
        meaning="in nats, mean over targets",
        place=60,
    ),
)
