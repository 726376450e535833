"""What a pool's outcome table says before any router: the figures of `prefillroute pool show`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prefillroute.config.facts import TargetConfig
from prefillroute.metrics.pool_points import PoolPoints
from prefillroute.outcomes.agreement import CLASSES, agreement_classes
from prefillroute.outcomes.prices import check_prices, token_cost
from prefillroute.outcomes.table import Outcomes


@dataclass(frozen=True)
class TargetSummary:
    """One target over all its outcomes."""

    name: str
    queries: int
    accuracy: float
    """Mean `correct`."""
    cost_usd: float
    """Mean cost of a call, recorded or tokens x price; NaN when unknown."""
    price_in: float
    price_out: float
    price_date: str
    complete_accuracy: float
    complete_cost_usd: float
    """The two over the queries that every target has an outcome on; NaN where unknown."""


@dataclass(frozen=True)
class PoolSummary:
    """A pool; classes, best single and oracle are over the queries that every target has an outcome on."""

    targets: tuple[TargetSummary, ...]
    queries: int
    complete: int
    classes: dict[str, int]
    """Queries per agreement class."""
    best: str
    """The most accurate target, the cheaper one of equals."""
    best_accuracy: float
    best_cost_usd: float
    oracle_accuracy: float
    oracle_cost_usd: float
    """Of the cheapest target with the greatest `correct` on each query; NaN when a cost is unknown."""

    @property
    def headroom(self) -> float:
        """What a perfect router would add to the best single target."""
        return self.oracle_accuracy - self.best_accuracy


def summarise(outcomes: Outcomes, targets: Sequence[TargetConfig]) -> PoolSummary:
    """Accuracies, costs, consensus and oracle of a pool.

    Args:
        outcomes: Q queries x M targets.
        targets: the M targets in the table's order.

    Raises:
        UserError: a price is invalid.
    """
    price_in, price_out = check_prices(targets)
    by_tokens = token_cost(outcomes.prompt_tokens, outcomes.completion_tokens, price_in, price_out)
    cost = np.where(np.isnan(outcomes.cost_usd), by_tokens, outcomes.cost_usd)
    known = [_mean(column) for column in cost.T]
    whole = outcomes.complete
    found = agreement_classes(outcomes.labels[whole])
    # A call whose cost was not recorded costs its target's mean.
    filled = np.where(np.isnan(cost), np.array(known), cost)[whole]
    correct = outcomes.correct[whole]
    points = PoolPoints.from_outcomes(correct, filled, np.ones((1, len(correct))))
    each = tuple(
        TargetSummary(
            name=target.name,
            queries=int(outcomes.observed[:, index].sum()),
            accuracy=_mean(outcomes.correct[:, index]),
            cost_usd=known[index],
            price_in=float(price_in[index]),
            price_out=float(price_out[index]),
            price_date=target.price_date or "",
            complete_accuracy=float(points.accuracy[0, index]),
            complete_cost_usd=float(points.cost[0, index]),
        )
        for index, target in enumerate(targets)
    )
    best = int(points.best[0])
    return PoolSummary(
        targets=each,
        queries=len(outcomes),
        complete=int(whole.sum()),
        classes={name: int((found == name).sum()) for name in CLASSES},
        best=targets[best].name,
        best_accuracy=float(points.accuracy[0, best]),
        best_cost_usd=float(points.cost[0, best]),
        oracle_accuracy=float(points.oracle_accuracy[0]),
        oracle_cost_usd=float("nan") if np.isnan(filled).any() else float(points.oracle_cost[0]),
    )


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
