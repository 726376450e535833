"""Summarises a pool's outcome table without any router: the figures that `prefillroute pool show` prints."""

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
    """Figures of one target over all its outcomes."""

    name: str
    queries: int
    accuracy: float
    """Mean `correct`."""
    cost_usd: float
    """Mean cost of a call, as recorded or else tokens x price; NaN if unknown."""
    price_in: float
    price_out: float
    price_date: str
    complete_accuracy: float
    complete_cost_usd: float
    """Accuracy and cost over the queries for which every target has an outcome; NaN if unknown."""


@dataclass(frozen=True)
class PoolSummary:
    """Figures of a pool; classes, best single and oracle cover the queries for which every target has an outcome."""

    targets: tuple[TargetSummary, ...]
    queries: int
    complete: int
    classes: dict[str, int]
    """Queries per agreement class."""
    best: str
    """The most accurate target; of equals, the cheaper one."""
    best_accuracy: float
    best_cost_usd: float
    oracle_accuracy: float
    oracle_cost_usd: float
    """Mean cost of the cheapest target with the greatest `correct` on each query; NaN if any cost is unknown."""

    @property
    def headroom(self) -> float:
        """Accuracy that a perfect router would add to that of the best single target."""
        return self.oracle_accuracy - self.best_accuracy


def summarise(outcomes: Outcomes, targets: Sequence[TargetConfig]) -> PoolSummary:
    """Compute accuracies, costs, consensus and oracle of a pool.

    Args:
        outcomes: outcomes of M targets on Q queries.
        targets: the M targets, in the table's order.

    Raises:
        UserError: a price is invalid.
    """
    price_in, price_out = check_prices(targets)
    by_tokens = token_cost(outcomes.prompt_tokens, outcomes.completion_tokens, price_in, price_out)
    cost = np.where(np.isnan(outcomes.cost_usd), by_tokens, outcomes.cost_usd)
    known = [_mean(column) for column in cost.T]
    whole = outcomes.complete
    found = agreement_classes(outcomes.labels[whole])
    # A call whose cost was not recorded is given its target's mean cost.
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
