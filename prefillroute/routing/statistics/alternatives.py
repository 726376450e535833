"""Choices that need no confidences: single targets, a random one, the best of each benchmark, and the oracle."""

from collections.abc import Callable

import numpy as np

from prefillroute.routing.statistics.contract import PoolStatistic, Strategy
from prefillroute.routing.statistics.view import PoolView

# B = resamples


def alternative(
    key: str,
    label: str,
    accuracy: Callable[[PoolView], np.ndarray],
    cost: Callable[[PoolView], np.ndarray],
    *,
    place: float,
    row: float,
    names: str = "",
) -> tuple[PoolStatistic, PoolStatistic, Strategy]:
    """Declare the accuracy and the mean cost (B,) of a choice, and its row among the router's alternatives."""
    right = PoolStatistic(key=f"{key}_accuracy", compute=accuracy, place=place)
    paid = PoolStatistic(key=f"{key}_cost", compute=cost, place=place + 1)
    return right, paid, Strategy(label=label, accuracy=right.key, cost=paid.key, place=row, names=names)


BEST_SINGLE = alternative(
    "best_single",
    "best single target",
    lambda view: view.points.accuracy_of(view.points.best),
    lambda view: view.points.cost_of(view.points.best),
    place=10,
    row=70,
    names="best_single",
)
CHEAPEST = alternative(
    "cheapest",
    "cheapest target",
    lambda view: view.points.accuracy_of(view.points.cheapest),
    lambda view: view.points.cost_of(view.points.cheapest),
    place=20,
    row=80,
    names="cheapest",
)
DEAREST = alternative(
    "dearest",
    "dearest target",
    lambda view: view.points.accuracy_of(view.points.dearest),
    lambda view: view.points.cost_of(view.points.dearest),
    place=30,
    row=90,
    names="dearest",
)
RANDOM = alternative(
    "random",
    "random target",
    lambda view: view.points.accuracy.mean(axis=1),
    lambda view: view.points.cost.mean(axis=1),
    place=40,
    row=100,
)
ORACLE = alternative(
    "oracle",
    "oracle",
    lambda view: view.points.oracle_accuracy,
    lambda view: view.points.oracle_cost,
    place=50,
    row=110,
)


def benchmark_routed(view: PoolView) -> tuple[np.ndarray, np.ndarray]:
    """Mean cost and accuracy where every query goes to the target that was best on its benchmark in training."""
    return view.routed(view.benchmark_choice)


PER_BENCHMARK_BEST = alternative(
    "per_benchmark_best",
    "best target of each benchmark",
    lambda view: view.once(benchmark_routed)[1],
    lambda view: view.once(benchmark_routed)[0],
    place=140,
    row=60,
)
