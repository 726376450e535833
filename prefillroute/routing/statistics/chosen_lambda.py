"""The router at the lambda that was chosen for the greatest accuracy, without the test rows."""

from prefillroute.routing.statistics.contract import CONSTANT, Shown, Strategy
from prefillroute.routing.statistics.operating_point import operating_point, realised_cost, routed
from prefillroute.routing.statistics.reasons import nothing_to_choose_on
from prefillroute.routing.statistics.routing_delta import routing_delta

NAME = "{}"
REASONS = (nothing_to_choose_on,)

POINT = operating_point(
    NAME,
    routed(lambda sample: sample.at_chosen),
    "router, chosen λ",
    row=10,
    place=170,
    marked=True,
    reasons=REASONS,
    headroom=Shown(
        label="headroom captured",
        form="percent",
        better="higher",
        meaning="of the way from the best single target to the oracle, at the chosen λ",
        place=210,
        on=("table", "card", "headline", "sweep"),
    ),
    savings=Shown(
        label="cost savings",
        form="percent",
        better="higher",
        meaning="against the dearest target, at the chosen λ",
        place=220,
        on=("table", "card", "headline"),
    ),
    gain=Shown(
        label="accuracy gain",
        form="percentage points",
        better="higher",
        meaning="over the best single target, at the chosen λ",
        place=230,
    ),
)
REALISED_COST = realised_cost(NAME, lambda sample: sample.at_chosen, place=175, reasons=REASONS)
OF_THE_CONSTANT_PREDICTOR = Strategy(
    label="constant predictor, its chosen λ",
    accuracy=f"{CONSTANT}routed_accuracy",
    cost=f"{CONSTANT}routed_cost",
    place=50,
)
DELTA = routing_delta(
    NAME,
    lambda sample: sample.at_chosen,
    place=90,
    share=Shown(
        label="routed\nshare",
        form="percent",
        meaning="of the test queries that go to it at the chosen λ",
        place=70,
    ),
    accuracy_to=Shown(
        label="accuracy\nrouted",
        form="percent",
        meaning="on the queries routed to it, chosen λ",
        place=80,
    ),
    accuracy_away=Shown(
        label="accuracy\naway",
        form="percent",
        meaning="on the queries routed elsewhere, chosen λ",
        place=90,
    ),
    difference=Shown(
        label="routing\ndelta (pp)",
        form="percentage points without unit",
        meaning="accuracy routed less accuracy away, percentage points",
        place=100,
    ),
)
