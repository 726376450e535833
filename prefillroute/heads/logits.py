"""Logits and probabilities: the bound of a probability, and the cross-entropy where outcomes are missing."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

CLIP = 1e-6
"""Bound of a mean of probabilities (DESIGN section 7)."""


def bounded_logit(probability: Tensor, bound: float = CLIP) -> Tensor:
    """log(p / (1 - p)) with p clipped to [bound, 1 - bound].

    Example:
        >>> bounded_logit(torch.tensor([0.5]))
        tensor([0.])
    """
    return torch.logit(probability.clamp(bound, 1 - bound))


def masked_bce(logits: Tensor, correct: Tensor) -> tuple[Tensor, Tensor]:
    """Sum of the cross-entropy over observed outcomes, and their number, per net.

    Args:
        logits: (S, B, T).
        correct: (B, T), or (S, B, T) where each net has its own targets; in [0, 1], NaN = missing.

    Returns:
        Two tensors (S,).
    """
    seen = (~correct.isnan()).to(logits.dtype)
    outcome = correct.nan_to_num(0.0)
    loss = binary_cross_entropy_with_logits(
        logits, outcome.expand_as(logits), weight=seen.expand_as(logits), reduction="none"
    )
    return loss.sum(dim=(1, 2)), seen.sum(dim=(-2, -1)).expand(len(logits))
