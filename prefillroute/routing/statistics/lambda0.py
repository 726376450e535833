"""The router at lambda 0: every query goes to its most confident target, whatever it costs."""

from prefillroute.routing.statistics.contract import Shown
from prefillroute.routing.statistics.operating_point import operating_point, realised_cost, routed
from prefillroute.routing.statistics.routing_delta import routing_delta

NAME = "{}_lambda0"
MEANING = "every query to its most confident target"

POINT = operating_point(
    NAME,
    routed(lambda sample: sample.at_lambda0),
    "router, λ = 0",
    row=20,
    place=160,
    accuracy=Shown(label="accuracy at lambda 0", form="percent", place=205, on=("headline",)),
    headroom=Shown(
        label="headroom captured, λ = 0", form="percent", better="higher", meaning=MEANING, place=240
    ),
    savings=Shown(label="cost savings, λ = 0", form="percent", better="higher", meaning=MEANING, place=250),
    gain=Shown(
        label="accuracy gain, λ = 0",
        form="percentage points",
        better="higher",
        meaning="over the best single target",
        place=260,
    ),
)
REALISED_COST = realised_cost(NAME, lambda sample: sample.at_lambda0, place=165)
DELTA = routing_delta(
    NAME,
    lambda sample: sample.at_lambda0,
    place=80,
    share=Shown(
        label="share\nat λ = 0",
        form="percent",
        meaning="of the test queries that go to it at λ = 0",
        place=60,
    ),
)
