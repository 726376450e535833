"""The router at the lambda that was chosen, without the test rows, for the least cost at the best single's accuracy."""

from prefillroute.routing.statistics.contract import Shown
from prefillroute.routing.statistics.operating_point import operating_point, realised_cost, routed
from prefillroute.routing.statistics.reasons import never_as_accurate, nothing_to_choose_on

NAME = "{}_at_best_single"
REASONS = (nothing_to_choose_on, never_as_accurate)

POINT = operating_point(
    NAME,
    routed(lambda sample: sample.at_best_single),
    "router, λ for the best single's accuracy",
    row=30,
    place=180,
    reasons=REASONS,
    savings=Shown(
        label="cost savings at the best single's accuracy",
        form="percent",
        better="higher",
        meaning="λ chosen, without the test part, for the least cost at the best single target's accuracy",
        place=270,
    ),
    gain=Shown(
        label="accuracy gain at that λ",
        form="percentage points",
        better="higher",
        meaning="over the best single target; what the choice of λ promised was 0 or more",
        place=280,
    ),
)
REALISED_COST = realised_cost(NAME, lambda sample: sample.at_best_single, place=185, reasons=REASONS)
