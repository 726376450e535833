"""Per-target numbers: prediction quality on all its rows, and the routing delta."""

from typing import Any

import numpy as np

from prefillroute.routing.sample import Sample
from prefillroute.routing.statistics import target_statistics

# N = test queries, M = targets


def target_metrics(sample: Sample) -> dict[str, dict[str, Any]]:
    """Describe every target on the test rows.

    The routing delta is the target's own accuracy (and mean estimated cost) on the queries routed to it against those
    routed away from it, at lambda 0 (`..._lambda0`) and at the chosen lambda.

    Returns:
        Target name to metric name to number; NaN = undefined.
    """
    table = sample.table
    found = target_statistics(sample, np.ones((1, len(table))))
    observed = ~np.isnan(table.correct)
    routed = {"_lambda0": sample.routed(0.0), "": sample.routed(sample.chosen_lambda)}
    metrics: dict[str, dict[str, Any]] = {}
    for index, target in enumerate(table.targets):
        entry: dict[str, Any] = {name: values[0, index] for name, values in found.items()}
        entry["num_rows"] = int(observed[:, index].sum())
        entry["accuracy"] = _mean(table.correct[:, index], observed[:, index])
        entry["mean_confidence"] = table.confidence[:, index].mean()
        entry["mean_cost"] = table.cost_usd[:, index].mean()
        for suffix, choice in routed.items():
            entry |= _routing_delta(table.correct[:, index], table.cost_usd[:, index], choice, index, suffix)
        metrics[target] = entry
    return metrics


def _routing_delta(
    correct: np.ndarray, cost: np.ndarray, choice: np.ndarray | None, index: int, suffix: str
) -> dict[str, float]:
    """Compare one target's rows (N,) routed to it with those routed away; all NaN where no lambda was chosen."""
    to_it = np.zeros(len(correct), bool) if choice is None else choice == index
    away = np.zeros(len(correct), bool) if choice is None else choice != index
    observed = ~np.isnan(correct)
    accuracy_to, accuracy_away = _mean(correct, to_it & observed), _mean(correct, away & observed)
    return {
        f"share{suffix}": float("nan") if choice is None else float(to_it.mean()),
        f"accuracy_routed_to{suffix}": accuracy_to,
        f"accuracy_routed_away{suffix}": accuracy_away,
        f"routing_delta{suffix}": accuracy_to - accuracy_away,
        f"cost_routed_to{suffix}": _mean(cost, to_it),
        f"cost_routed_away{suffix}": _mean(cost, away),
    }


def _mean(values: np.ndarray, rows: np.ndarray) -> float:
    return float(values[rows].mean()) if rows.any() else float("nan")
