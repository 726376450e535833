"""The operating point as the paper reads it: the best of the sweep on the test part itself."""

import numpy as np

from prefillroute.routing.statistics.contract import RouterStatistic, Shown
from prefillroute.routing.statistics.operating_point import operating_point
from prefillroute.routing.statistics.view import RouterView

MEANING = "read as in the paper, at the sweep's best point on test"


def best_on_test(view: RouterView) -> tuple[np.ndarray, np.ndarray]:
    """Mean cost and accuracy (B,) of the point of greatest accuracy."""
    cost, accuracy = view.swept
    rows = np.arange(len(view.best))
    return cost[rows, view.best], accuracy[rows, view.best]


PAPER_LAMBDA = RouterStatistic(
    key="paper_lambda", compute=lambda view: view.sample.frontier.lambda_[view.best], place=120
)
PAPER_POINT = operating_point(
    "paper_{}",
    best_on_test,
    "router, best point on test (paper)",
    row=40,
    place=150,
    headroom=Shown(
        label="headroom captured (paper)", form="percent", better="higher", meaning=MEANING, place=300
    ),
    savings=Shown(label="cost savings (paper)", form="percent", better="higher", meaning=MEANING, place=310),
    gain=Shown(
        label="accuracy gain (paper)", form="percentage points", better="higher", meaning=MEANING, place=320
    ),
)
