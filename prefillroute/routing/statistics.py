"""Every global number of DESIGN section 5, under B sets of query weights at once.

Undefined values are NaN, and a cost that is never reached is infinite; `evaluation` turns both into null with a reason.
"""

import numpy as np

from prefillroute.metrics.brier import brier
from prefillroute.metrics.calibration_error import calibration_error
from prefillroute.metrics.cost_curve import efficacy, efficacy_models, p_auccc, p_auccc_models
from prefillroute.metrics.hull_gain import cost_at_best_single, hull_gains
from prefillroute.metrics.log_loss import log_loss
from prefillroute.metrics.masked_mean import weighted_mean
from prefillroute.metrics.pool_points import PoolPoints
from prefillroute.metrics.ratio import cost_savings, headroom_captured, relative_gain, relative_reduction
from prefillroute.metrics.relative_auc import relative_auc
from prefillroute.metrics.roc_auc import roc_auc
from prefillroute.routing.sample import Sample
from prefillroute.routing.sweep import best_point

# B = resamples, N = test queries, C = complete ones, M = targets, S = operating points

Statistics = dict[str, np.ndarray]
"""Metric name to (B,) values."""


def target_statistics(sample: Sample, weights: np.ndarray) -> Statistics:
    """AUC, Brier score, ECE and log loss of every target on all its rows: name to (B, M), from weights (B, N)."""
    table = sample.table
    return {
        "auc": roc_auc(table.confidence, table.labels, weights),
        "brier": brier(table.confidence, table.correct, weights),
        "ece": calibration_error(table.confidence, table.correct, weights),
        "log_loss": log_loss(table.confidence, table.correct, weights),
    }


def prediction_statistics(targets: Statistics) -> Statistics:
    """Means of the targets' metrics; a target whose AUC is undefined is left out of that mean."""
    return {f"mean_{name}": _mean_over_targets(values) for name, values in targets.items()}


def pool_points(sample: Sample, weights: np.ndarray) -> PoolPoints:
    """Single targets and oracle on the complete queries, under weights (B, C)."""
    return PoolPoints.from_outcomes(sample.correct, sample.cost, weights)


def pool_statistics(points: PoolPoints) -> Statistics:
    """Statistics of the pool itself, before any routing."""
    return {
        "best_single_accuracy": points.accuracy_of(points.best),
        "best_single_cost": points.cost_of(points.best),
        "cheapest_accuracy": points.accuracy_of(points.cheapest),
        "cheapest_cost": points.cost_of(points.cheapest),
        "dearest_accuracy": points.accuracy_of(points.dearest),
        "dearest_cost": points.cost_of(points.dearest),
        "random_accuracy": points.accuracy.mean(axis=1),
        "random_cost": points.cost.mean(axis=1),
        "oracle_accuracy": points.oracle_accuracy,
        "oracle_cost": points.oracle_cost,
        "p_auccc_models": p_auccc_models(points),
        "efficacy_models": efficacy_models(points),
        "efficacy_corner_models": efficacy_models(points, corner=True),
    }


def sweep_statistics(sample: Sample, weights: np.ndarray, points: PoolPoints) -> Statistics:
    """Statistics that depend on the whole sweep of lambda, under weights (B, C)."""
    cost, accuracy = sample.frontier.reweighted(weights)
    grid_cost, grid_accuracy = (weighted_mean(values, weights) for values in sample.grid)
    area, models = p_auccc(cost, accuracy, points), p_auccc_models(points)
    mixed, single = hull_gains(cost, accuracy, points)
    best = best_point(accuracy)
    rows = np.arange(len(best))
    found: Statistics = {
        "p_auccc": area,
        "mdp_auccc": area - models,
        "p_auccc_relative_gain": relative_gain(area, models),
        "hull_gain": mixed,
        "hull_gain_step": single,
        "cost_at_best_single": cost_at_best_single(cost, accuracy, points),
        "paper_lambda": sample.frontier.lambda_[best],
    }
    for name, corner in (("efficacy", False), ("efficacy_corner", True)):
        router = efficacy(grid_cost, grid_accuracy, points, corner)
        targets = efficacy_models(points, corner)
        found[name] = router
        found[f"{name}_gain"] = targets - router
        found[f"{name}_relative_gain"] = relative_reduction(router, targets)
    return found | _operating_point("paper_", "", cost[rows, best], accuracy[rows, best], points)


def routing_statistics(sample: Sample, weights: np.ndarray, points: PoolPoints) -> Statistics:
    """Statistics of the operating points that were fixed before the test rows were seen, under weights (B, C)."""
    found: Statistics = {}
    for suffix, choice in sample.routes.items():
        if choice is None:
            cost = accuracy = realised = np.full(len(weights), np.nan)
        else:
            rows, taken = np.arange(len(sample.rows)), choice[sample.rows]
            cost = weighted_mean(sample.cost[rows, taken], weights)
            accuracy = weighted_mean(sample.correct[rows, taken], weights)
            realised = _known_mean(sample.table.realised_cost_usd[sample.rows, taken], weights)
        found |= _operating_point("", suffix, cost, accuracy, points)
        found[f"routed_realised_cost{suffix}"] = realised
    return found


def router_statistics(
    sample: Sample, weights: np.ndarray, relative: np.ndarray | None = None
) -> tuple[Statistics, Statistics]:
    """All statistics that depend on the router's confidences.

    Args:
        sample: the router on its test rows.
        weights: (B, N); rows outside the subset in question have weight 0.
        relative: (B,) relative AUC if it is already known (it is by far the slowest to compute).

    Returns:
        Global statistics, name to (B,), and the targets' own, name to (B, M).
    """
    table = sample.table
    whole = weights[:, sample.rows] * table.complete[sample.rows]
    points = pool_points(sample, whole)
    targets = target_statistics(sample, weights)
    found = prediction_statistics(targets)
    found["relative_auc"] = (
        relative_auc(table.confidence, table.labels, weights) if relative is None else relative
    )
    found |= sweep_statistics(sample, whole, points) | routing_statistics(sample, whole, points)
    return found, targets


def _operating_point(
    prefix: str, suffix: str, cost: np.ndarray, accuracy: np.ndarray, points: PoolPoints
) -> Statistics:
    best = points.accuracy_of(points.best)
    return {
        f"{prefix}routed_accuracy{suffix}": accuracy,
        f"{prefix}routed_cost{suffix}": cost,
        f"{prefix}accuracy_gain{suffix}": accuracy - best,
        f"{prefix}headroom_captured{suffix}": headroom_captured(accuracy, best, points.oracle_accuracy),
        f"{prefix}cost_savings{suffix}": cost_savings(cost, points.cost_of(points.dearest)),
    }


def _mean_over_targets(values: np.ndarray) -> np.ndarray:
    count = (~np.isnan(values)).sum(axis=1)
    return np.divide(np.nansum(values, axis=1), count, out=np.full(len(values), np.nan), where=count > 0)


def _known_mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    known = ~np.isnan(values)
    return weighted_mean(np.where(known, values, 0.0), weights * known)
