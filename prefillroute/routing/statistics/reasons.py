"""Explains why a number is null (DESIGN section 4): each reason is a sentence where it applies, and None elsewhere."""

from collections.abc import Callable

import numpy as np

from prefillroute.metrics.ratio import NOTHING
from prefillroute.routing.statistics.view import RouterView

Reason = Callable[[RouterView], str | None]

NO_COMPLETE_QUERY = "no such query has every target's outcome"
NO_ROWS = "no complete calibration or out-of-fold row to choose lambda on"
NEVER_AS_ACCURATE = "never as accurate as the best single target on the rows that lambda is chosen on"
HELD = (
    "no gain over the best single target was shown on the rows that lambda is chosen on (policy.guard): every query "
    "goes to that target, see choice"
)


def no_complete_query(view: RouterView) -> str | None:
    """No query with weight has every target's outcome."""
    return NO_COMPLETE_QUERY if np.isnan(view.points.oracle_accuracy[0]) else None


def nothing_to_choose_on(view: RouterView) -> str | None:
    """There was no row to choose lambda on."""
    return NO_ROWS if view.choice is None else None


def never_as_accurate(view: RouterView) -> str | None:
    """Without a guard, no operating point was as accurate as the best single target."""
    choice = view.choice
    never = choice is not None and choice.at_best_single is None and choice.fallback is None
    return NEVER_AS_ACCURATE if never else None


def no_lambda(view: RouterView) -> str:
    """Why no lambda was chosen."""
    if view.choice is not None and view.choice.guard > 0:
        return HELD
    return no_complete_query(view) or nothing_to_choose_on(view) or NEVER_AS_ACCURATE


def no_inverse_cost_space(view: RouterView) -> str | None:
    """The paper's normalised axes (eq. 7 and 8) are undefined."""
    points = view.points
    least, greatest = points.cost_of(points.cheapest)[0], points.cost_of(points.dearest)[0]
    if greatest <= 0:
        return "every target is free: 1/C_min is infinite"
    if greatest == least:
        return "all targets cost the same: 1/C_min - 1/C_max is 0"
    if least <= 0:
        return "the cheapest target is free: 1/C_min is infinite"
    if points.oracle_accuracy[0] - points.accuracy_of(points.cheapest)[0] <= NOTHING:
        return "the oracle is no better than the cheapest target: A_max - A_cheapest is 0"
    return None
