"""The numbers of one operating point of a router; each module that has one says which, and how it is shown."""

from collections.abc import Callable

import numpy as np

from prefillroute.metrics.masked_mean import weighted_mean
from prefillroute.metrics.ratio import cost_savings, headroom_captured
from prefillroute.routing.sample import Routed, Sample
from prefillroute.routing.statistics.contract import RouterStatistic, Shown, Strategy
from prefillroute.routing.statistics.reasons import Reason, no_complete_query
from prefillroute.routing.statistics.view import RouterView

# B = resamples, N = test queries

Route = Callable[[Sample], Routed | None]
"""Where the test rows go; None where nothing could be chosen."""
Point = Callable[[RouterView], tuple[np.ndarray, np.ndarray]]
"""Mean cost and accuracy (B,)."""


def operating_point(
    name: str,
    read: Point,
    strategy: str,
    *,
    row: float,
    place: float,
    marked: bool = False,
    reasons: tuple[Reason, ...] = (),
    accuracy: Shown | None = None,
    gain: Shown | None = None,
    headroom: Shown | None = None,
    savings: Shown | None = None,
) -> tuple[RouterStatistic | Strategy, ...]:
    """Declare what an operating point costs, how often it is right, what it gains, and its row among the strategies.

    Args:
        name: of the keys, with a place for the statistic: `{}_lambda0`.
        read: finds the point.
        strategy: label of its row.
        row: position of that row.
        place: of the first statistic; the others follow in steps of 1, up to 4.
        marked: whether the row is emphasised.
        reasons: why there may be no such point.
        accuracy: how the accuracy is shown; `gain`, `headroom` and `savings` likewise.
    """
    known = (no_complete_query, *reasons)
    right = RouterStatistic(
        key=name.format("routed_accuracy"),
        compute=lambda view: view.once(read)[1],
        place=place,
        reasons=known,
        shown=accuracy,
    )
    paid = RouterStatistic(
        key=name.format("routed_cost"),
        compute=lambda view: view.once(read)[0],
        place=place + 1,
        reasons=known,
    )
    return (
        right,
        paid,
        RouterStatistic(
            key=name.format("accuracy_gain"),
            compute=lambda view: view[right] - view.points.accuracy_of(view.points.best),
            place=place + 2,
            reasons=known,
            shown=gain,
        ),
        RouterStatistic(
            key=name.format("headroom_captured"),
            compute=lambda view: headroom_captured(
                view[right], view.points.accuracy_of(view.points.best), view.points.oracle_accuracy
            ),
            place=place + 3,
            reasons=known,
            otherwise="the best single target is as accurate as the oracle: A_oracle - A_best is 0",
            shown=headroom,
        ),
        RouterStatistic(
            key=name.format("cost_savings"),
            compute=lambda view: cost_savings(view[paid], view.points.cost_of(view.points.dearest)),
            place=place + 4,
            reasons=known,
            otherwise="every target is free: C_max is 0",
            shown=savings,
        ),
        Strategy(label=strategy, accuracy=right.key, cost=paid.key, place=row, marked=marked),
    )


def routed(route: Route) -> Point:
    """The point of a choice that was fixed before the test rows were seen."""

    def read(view: RouterView) -> tuple[np.ndarray, np.ndarray]:
        where = route(view.sample)
        if where is None:
            return (np.full(len(view.weights), np.nan),) * 2
        return view.routed(where)

    return read


def realised_cost(
    name: str, route: Route, *, place: float, reasons: tuple[Reason, ...] = ()
) -> RouterStatistic:
    """Declare what such a choice did cost: the mean over the queries whose realised cost is known."""

    def spent(view: RouterView) -> np.ndarray:
        where, rows = route(view.sample), view.sample.rows
        if where is None:
            return np.full(len(view.weights), np.nan)
        values = view.table.realised_cost_usd[rows, where.target[rows]]
        if where.read:
            values = values + view.table.router_cost[rows]
        known = ~np.isnan(values)
        return weighted_mean(np.where(known, values, 0.0), view.pool.weights * known)

    return RouterStatistic(
        key=name.format("routed_realised_cost"),
        compute=spent,
        place=place,
        reasons=(no_complete_query, *reasons),
        otherwise="no realised cost is known",
    )
