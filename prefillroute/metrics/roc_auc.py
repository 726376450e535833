"""ROC-AUC per target, ties counted half, for one sample or for many reweighted ones at once."""

import numpy as np

# N = queries, M = targets, B = bootstrap resamples, P = positives, K = negatives


def roc_auc(confidence: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Compute every target's area under the ROC curve over its own observed rows.

    Args:
        confidence: (N, M) scores.
        labels: (N, M) of 0, 1 and NaN (missing, left out).
        weights: (B, N) bootstrap weights, or None for the sample itself.

    Returns:
        (M,) without weights, (B, M) with them; NaN where a target has only one class.

    Example:
        >>> roc_auc(np.array([[0.1], [0.4], [0.35], [0.8]]), np.array([[0.0], [0.0], [1.0], [1.0]]))
        array([0.75])
    """
    row_weights = np.ones((len(labels), 1)) if weights is None else np.ascontiguousarray(weights.T)
    area = np.empty((row_weights.shape[1], labels.shape[1]))
    for target in range(labels.shape[1]):
        positive = np.flatnonzero(labels[:, target] == 1)
        negative = np.flatnonzero(labels[:, target] == 0)
        scores = confidence[:, target]
        area[:, target] = weighted_auc(
            scores[positive], scores[negative], row_weights[positive], row_weights[negative]
        )
    return area[0] if weights is None else area


def weighted_auc(
    positive_scores: np.ndarray,
    negative_scores: np.ndarray,
    positive_weights: np.ndarray,
    negative_weights: np.ndarray,
) -> np.ndarray:
    """Probability that a positive outscores a negative, ties counted half, under B sets of row weights.

    The scores are sorted once; a resample only changes how much every row counts.

    Args:
        positive_scores: (P,); negative_scores: (K,).
        positive_weights: (P, B); negative_weights: (K, B).

    Returns:
        (B,), NaN where one class carries no weight.
    """
    order = np.argsort(negative_scores)
    ranked = negative_scores[order]
    below = np.zeros((len(order) + 1, positive_weights.shape[1]))
    np.cumsum(negative_weights[order], axis=0, out=below[1:])
    lower = np.searchsorted(ranked, positive_scores, side="left")
    upper = np.searchsorted(ranked, positive_scores, side="right")
    beaten = below[lower]  # (P, B) weight of the negatives under each positive
    tied = np.flatnonzero(lower != upper)
    beaten[tied] = 0.5 * (beaten[tied] + below[upper[tied]])
    wins = np.einsum("pb,pb->b", positive_weights, beaten)
    pairs = positive_weights.sum(axis=0) * below[-1]
    return np.divide(wins, pairs, out=np.full(pairs.shape, np.nan), where=pairs > 0)
