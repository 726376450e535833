"""Metrics of each target: prediction quality on all its rows, and the routing delta, under B sets of query weights."""

from typing import Any

import numpy as np

from prefillroute.metrics.masked_mean import masked_mean
from prefillroute.routing.sample import Sample
from prefillroute.routing.statistics import Statistics, target_statistics

# N = test queries, M = targets, B = resamples


def target_metrics(sample: Sample) -> dict[str, dict[str, Any]]:
    """Describe every target on the test rows.

    Returns:
        Target name to metric name to number; NaN = undefined. `num_rows`, the number of the target's outcomes, is a
        count over the sample itself and has no interval; all other metrics have one.
    """
    table = sample.table
    once = np.ones((1, len(table)))
    found = target_statistics(sample, once) | delta_statistics(sample, once)
    observed = (~np.isnan(table.correct)).sum(axis=0)
    return {
        target: {name: values[0, index] for name, values in found.items()}
        | {"num_rows": int(observed[index])}
        for index, target in enumerate(table.targets)
    }


def delta_statistics(sample: Sample, weights: np.ndarray) -> Statistics:
    """Accuracy and cost of each target, overall and on the queries routed to it versus those routed away from it.

    The routing delta is the difference between the two accuracies of the same target, at lambda 0 (`..._lambda0`) and
    at the chosen lambda.

    Args:
        sample: the router on its test rows.
        weights: (B, N).

    Returns:
        Name to (B, M); NaN where no row with weight was routed that way, or where nothing could be chosen.
    """
    table = sample.table
    found: Statistics = {
        "accuracy": masked_mean(table.correct, weights),
        "mean_confidence": masked_mean(table.confidence, weights),
        "mean_cost": masked_mean(table.cost_usd, weights),
    }
    for suffix in ("_lambda0", ""):
        choice = sample.routes[suffix]
        if choice is None:
            to_it = away = np.zeros(table.correct.shape, dtype=bool)
            share = np.full((len(weights), len(table.targets)), np.nan)
        else:
            to_it = choice[:, None] == np.arange(len(table.targets))
            away = ~to_it
            share = masked_mean(to_it.astype(float), weights)
        accuracy_to, accuracy_away = (
            masked_mean(np.where(rows, table.correct, np.nan), weights) for rows in (to_it, away)
        )
        found |= {
            f"share{suffix}": share,
            f"accuracy_routed_to{suffix}": accuracy_to,
            f"accuracy_routed_away{suffix}": accuracy_away,
            f"routing_delta{suffix}": accuracy_to - accuracy_away,
            f"cost_routed_to{suffix}": masked_mean(np.where(to_it, table.cost_usd, np.nan), weights),
            f"cost_routed_away{suffix}": masked_mean(np.where(away, table.cost_usd, np.nan), weights),
        }
    return found
