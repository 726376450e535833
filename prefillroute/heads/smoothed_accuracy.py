"""Accuracy of every target in parts of the training rows, shrunk towards its overall accuracy where rows are few."""

import torch
from torch import Tensor


def smoothed_accuracy(part: Tensor, correct: Tensor, num_parts: int, smoothing: float) -> Tensor:
    """p[c, m] = (correct answers of m in c + smoothing * accuracy of m) / (outcomes of m in c + smoothing).

    Args:
        part: (n,) int64, the part of each row.
        correct: (n, M) in [0, 1], NaN = missing.
        num_parts: C.
        smoothing: number of pseudo-outcomes at the target's overall accuracy that every part starts with.

    Returns:
        p (C, M) float64. The overall accuracy of a target without outcomes is 0.5; without smoothing, a part without
        outcomes of a target has its overall accuracy.
    """
    outcome = correct.double()
    seen = (~outcome.isnan()).double()
    overall = torch.nanmean(outcome, dim=0).nan_to_num(0.5)
    zeros = outcome.new_zeros(num_parts, outcome.shape[1])
    hits = zeros.index_add(0, part, outcome.nan_to_num(0.0))
    count = zeros.index_add(0, part, seen) + smoothing
    return torch.where(count > 0, (hits + smoothing * overall) / count, overall)
