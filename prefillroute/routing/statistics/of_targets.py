"""Accuracy, confidence and cost of each target on all its test rows."""

from prefillroute.metrics.masked_mean import masked_mean
from prefillroute.routing.statistics.contract import Shown, TargetStatistic

ACCURACY = TargetStatistic(
    key="accuracy",
    compute=lambda view: masked_mean(view.table.correct, view.weights),
    place=50,
    shown=Shown(
        label="accuracy", form="percent", meaning="share of test queries it answers correctly", place=10
    ),
)
MEAN_CONFIDENCE = TargetStatistic(
    key="mean_confidence",
    compute=lambda view: masked_mean(view.table.confidence, view.weights),
    place=60,
)
MEAN_COST = TargetStatistic(
    key="mean_cost",
    compute=lambda view: masked_mean(view.table.cost_usd, view.weights),
    place=70,
    shown=Shown(
        label="USD per\n1,000 queries",
        form="USD per 1,000",
        meaning="mean estimated cost on all test queries",
        place=110,
    ),
)
