"""Relative AUC: whether the router knows which of two targets answers what only one of them can."""

from prefillroute.metrics.relative_auc import MIN_QUERIES, relative_auc
from prefillroute.routing.statistics.contract import RouterStatistic, Shown

RELATIVE_AUC = RouterStatistic(
    key="relative_auc",
    compute=lambda view: relative_auc(view.table.confidence, view.table.labels, view.weights),
    place=50,
    same_on_disagreement=True,  # by far the slowest to compute
    otherwise=f"no pair of targets has {MIN_QUERIES} queries that exactly one of the two answers",
    shown=Shown(
        label="relative AUC",
        form="decimal",
        better="higher",
        meaning="which of two targets answers what only one of them can, mean over pairs",
        place=70,
        on=("table", "card", "headline", "sweep"),
    ),
)
