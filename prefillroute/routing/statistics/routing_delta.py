"""How each target does on the queries routed to it versus those routed away from it, at one operating point."""

import numpy as np

from prefillroute.metrics.masked_mean import masked_mean
from prefillroute.routing.statistics.contract import Shown, TargetStatistic
from prefillroute.routing.statistics.operating_point import Route
from prefillroute.routing.statistics.view import RouterView

# N = test queries, M = targets, B = resamples


def routing_delta(
    name: str,
    route: Route,
    *,
    place: float,
    share: Shown | None = None,
    accuracy_to: Shown | None = None,
    accuracy_away: Shown | None = None,
    difference: Shown | None = None,
) -> tuple[TargetStatistic, ...]:
    """Declare what goes to each target, its accuracy and cost there and elsewhere, and the routing delta.

    The delta is the difference between the two accuracies. Values are NaN where no row with weight was routed that way,
    or where nothing could be chosen.

    Args:
        name: of the keys, with a place for the statistic: `{}_lambda0`.
        route: finds where the test rows go.
        place: of the first statistic; the others follow in steps of 1, up to 5.
        share: how the share of queries is shown; `accuracy_to`, `accuracy_away` and `difference` likewise.
    """

    def sides(view: RouterView) -> tuple[np.ndarray, np.ndarray]:
        """(N, M) each: whether a query goes to the target, and whether it goes to another."""
        where, shape = route(view.sample), view.table.correct.shape
        if where is None:
            return np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        to_it = where.target[:, None] == np.arange(shape[1])
        return to_it, ~to_it

    def routed(view: RouterView) -> np.ndarray:
        if route(view.sample) is None:
            return np.full((len(view.weights), view.table.correct.shape[1]), np.nan)
        return masked_mean(view.once(sides)[0].astype(float), view.weights)

    def mean(view: RouterView, values: np.ndarray, side: int) -> np.ndarray:
        return masked_mean(np.where(view.once(sides)[side], values, np.nan), view.weights)

    to_it = TargetStatistic(
        key=name.format("accuracy_routed_to"),
        compute=lambda view: mean(view, view.table.correct, 0),
        place=place + 1,
        shown=accuracy_to,
    )
    away = TargetStatistic(
        key=name.format("accuracy_routed_away"),
        compute=lambda view: mean(view, view.table.correct, 1),
        place=place + 2,
        shown=accuracy_away,
    )
    return (
        TargetStatistic(key=name.format("share"), compute=routed, place=place, shown=share),
        to_it,
        away,
        TargetStatistic(
            key=name.format("routing_delta"),
            compute=lambda view: view[to_it] - view[away],
            place=place + 3,
            shown=difference,
        ),
        TargetStatistic(
            key=name.format("cost_routed_to"),
            compute=lambda view: mean(view, view.table.cost_usd, 0),
            place=place + 4,
        ),
        TargetStatistic(
            key=name.format("cost_routed_away"),
            compute=lambda view: mean(view, view.table.cost_usd, 1),
            place=place + 5,
        ),
    )
