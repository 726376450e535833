"""Turns member logits into the ensemble logit z that calibration reads (DESIGN section 7)."""

import torch
from torch import Tensor

from prefillroute.heads.contract import Head
from prefillroute.heads.logits import bounded_logit

ROWS_AT_ONCE = 4096
"""Bounds the memory of a pass: hidden values are members x width x rows."""


@torch.no_grad()
def ensemble_logits(head: Head, features: Tensor) -> Tensor:
    """z (G, N, M) = logit(mean of member sigmoids clipped to 1e-6) of features (G, N, D), without dropout."""
    was_training = head.training
    head.eval()
    groups = []
    for group in range(head.num_groups):
        parts = []
        for rows in features[group].split(ROWS_AT_ONCE):
            mean = torch.sigmoid(head.group_logits(group, rows).double()).mean(dim=0)  # (B, M)
            parts.append(bounded_logit(mean).float())
        groups.append(torch.cat(parts))
    head.train(was_training)
    return torch.stack(groups)
