"""ROC-AUC of many columns at once, ties counted half."""

import numpy as np


def batched_roc_auc(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """ROC-AUC (..., T) over the first axis of `scores` (N, ..., T) against `labels` (N, T) of 0, 1 or NaN.

    NaN labels are left out; a column with one class gives NaN. Every column is sorted as 64-bit keys that hold the
    float32 score in the high bits and the label in the low bits, once with negatives first among ties and once with
    positives first: the mean of the two counts is the tie-corrected Mann-Whitney statistic, without computing ranks.

    Example:
        >>> batched_roc_auc(np.array([[0.1], [0.4], [0.35], [0.8]]), np.array([[0.0], [0.0], [1.0], [1.0]]))
        array([0.75])
    """
    shape = scores.shape
    middle = (1,) * (scores.ndim - labels.ndim)
    observed = ~np.isnan(labels)
    positive = (labels > 0.5) & observed  # NaN compares false
    keys = _sortable(scores)
    wins = np.zeros(shape[1:], dtype=np.float64)
    for flipped in (False, True):
        # Low bits: 0 or 1 by class, 2 where missing; after the sort, bit 0 marks positives (negatives when flipped).
        code = np.where(observed, positive ^ flipped, 2).astype(np.int64)
        code = code.reshape(shape[0], *middle, shape[-1])
        ordered = np.ascontiguousarray(np.moveaxis(keys | code, 0, -1))
        ordered.sort(axis=-1)
        one, zero = (ordered & 3) == 1, (ordered & 3) == 0
        negative_first, positive_first = (zero, one) if not flipped else (one, zero)
        below = np.cumsum(negative_first, axis=-1, dtype=np.int64)
        wins += (below * positive_first).sum(-1) / 2
    pairs = (positive.sum(0) * (observed & ~positive).sum(0)).reshape(*middle, shape[-1])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pairs > 0, wins / pairs, np.nan)


def _sortable(scores: np.ndarray) -> np.ndarray:
    """int64 keys in the order of the float32 scores, with the two lowest bits free; -0.0 equals 0.0."""
    bits = (scores.astype(np.float32) + np.float32(0.0)).view(np.int32).astype(np.int64)
    # Negative floats sort backwards as integers.
    ordered = np.where(bits < 0, np.int64(-(2**31)) - bits, bits)
    return ordered << 2
