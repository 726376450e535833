"""Gain above the best static mixture of targets at equal cost, and the same beyond the constant predictor's."""

import numpy as np

from prefillroute.metrics.hull_gain import hull_gains
from prefillroute.routing.statistics.contract import ContestStatistic, RouterStatistic, Shown
from prefillroute.routing.statistics.view import RouterView

CHEAPEST_FREE = "the cheapest target is free: no logarithm of its cost"


def gains(view: RouterView) -> tuple[np.ndarray, np.ndarray]:
    """Both readings, from one pass."""
    return hull_gains(*view.swept, view.points, router_cost=view.router_cost)


HULL_GAIN = RouterStatistic(
    key="hull_gain",
    compute=lambda view: view.once(gains)[0],
    place=90,
    otherwise=CHEAPEST_FREE,
    shown=Shown(
        label="hull gain",
        form="percentage points",
        better="higher",
        meaning="accuracy of the router's operating points, mixed, above the best static mixture of targets at equal "
        "cost, mean over log-spaced costs",
        place=80,
        on=("table", "card", "headline", "sweep"),
    ),
)
HULL_GAIN_STEP = RouterStatistic(
    key="hull_gain_step",
    compute=lambda view: view.once(gains)[1],
    place=100,
    otherwise=CHEAPEST_FREE,
    shown=Shown(
        label="hull gain, not mixed",
        form="percentage points",
        better="higher",
        meaning="the older reading: the router's best single operating point that costs no more, above the same "
        "mixture",
        place=90,
    ),
)
HULL_GAIN_OVER_CONSTANT = ContestStatistic(
    key="hull_gain_over_constant",
    compute=lambda view: view.router[HULL_GAIN] - view.constant[HULL_GAIN],
    place=10,
    otherwise=CHEAPEST_FREE,
    shown=Shown(
        label="hull gain over constant",
        form="percentage points",
        better="higher",
        meaning="the paired difference to the constant predictor; 0 means that reading the query gains nothing",
        place=100,
        on=("table", "sweep"),
    ),
)
