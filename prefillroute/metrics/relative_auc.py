"""ROC-AUC of the difference between two targets: does the predictor know *which* target answers a query correctly?"""

from itertools import combinations

import numpy as np

from prefillroute.metrics.roc_auc import weighted_auc

# N = queries, M = targets, B = bootstrap resamples, R = pairs of targets

MIN_QUERIES = 20
"""A pair needs this many queries that exactly one of the two targets answers (DESIGN section 5)."""


def relative_auc(
    confidence: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray | None = None,
    min_queries: int = MIN_QUERIES,
) -> np.ndarray:
    """Average, over pairs of targets, the ROC-AUC of p_i - p_j on queries that only one of the two answers.

    A confidence that only knows how hard a query is for everyone scores 0.5 here.

    Args:
        confidence: (N, M).
        labels: (N, M) of 0, 1 and NaN; a pair uses the rows where both are observed.
        weights: (B, N) bootstrap weights, or None for the sample itself.
        min_queries: pairs with fewer such queries are left out.

    Returns:
        Scalar array () or (B,); NaN where no pair qualifies.

    Example:
        >>> confidence, labels = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[1.0, 0.0], [0.0, 1.0]])
        >>> float(relative_auc(confidence, labels, min_queries=2))
        1.0
    """
    areas = relative_auc_pairs(confidence, labels, weights, min_queries)
    defined = ~np.isnan(areas)
    count = defined.sum(axis=-1)
    total = np.where(defined, areas, 0.0).sum(axis=-1)
    return np.divide(total, count, out=np.full(np.shape(count), np.nan), where=count > 0)


def relative_auc_pairs(
    confidence: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray | None = None,
    min_queries: int = MIN_QUERIES,
) -> np.ndarray:
    """Compute the areas that `relative_auc` averages: (R,) or (B, R), one per pair that qualifies."""
    row_weights = np.ones((len(labels), 1)) if weights is None else np.ascontiguousarray(weights.T)
    areas = []
    for first, second in combinations(range(labels.shape[1]), 2):
        first_only = np.flatnonzero((labels[:, first] == 1) & (labels[:, second] == 0))
        second_only = np.flatnonzero((labels[:, first] == 0) & (labels[:, second] == 1))
        if len(first_only) + len(second_only) < min_queries or not len(first_only) or not len(second_only):
            continue
        lead = confidence[:, first] - confidence[:, second]
        if np.ptp(lead) == 0:  # a constant predictor ties everywhere
            areas.append(np.full(row_weights.shape[1], 0.5))
            continue
        areas.append(
            weighted_auc(
                lead[first_only], lead[second_only], row_weights[first_only], row_weights[second_only]
            )
        )
    stacked = np.stack(areas, axis=1) if areas else np.empty((row_weights.shape[1], 0))
    return stacked[0] if weights is None else stacked
