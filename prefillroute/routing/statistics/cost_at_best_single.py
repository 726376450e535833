"""What the best single target's accuracy costs on the test sweep."""

from prefillroute.metrics.hull_gain import cost_at_best_single
from prefillroute.routing.statistics.contract import RouterStatistic, Shown
from prefillroute.routing.statistics.reasons import no_complete_query
from prefillroute.routing.statistics.view import RouterView


def best_single_free(view: RouterView) -> str | None:
    """There is nothing to divide by."""
    free = view.points.cost_of(view.points.best)[0] == 0
    return "the best single target is free: the denominator is 0" if free else None


COST_AT_BEST_SINGLE = RouterStatistic(
    key="cost_at_best_single",
    compute=lambda view: cost_at_best_single(*view.swept, view.points),
    place=110,
    reasons=(no_complete_query, best_single_free),
    otherwise="the router never reaches the best single target's accuracy",
    shown=Shown(
        label="cost at best single",
        form="multiple",
        better="lower",
        meaning="least cost of the test sweep at the best single target's accuracy, over that target's cost",
        place=290,
        on=("table", "card"),
    ),
)
