"""What a net is stopped and ranked by on its group's validation part; lower is better."""

import numpy as np
import torch
from torch import Tensor

from prefillroute.heads.logits import masked_bce
from prefillroute.probes.roc_auc import batched_roc_auc

# S = nets, B = rows, T = targets that one net predicts


def mean_loss(logits: Tensor, correct: Tensor, threshold: float = 0.5) -> Tensor:
    """Mean cross-entropy (S,) of logits (S, B, T) against outcomes (B, T) or (S, B, T), NaN = missing; it takes
    outcomes as they are, whatever the threshold.
    """
    total, count = masked_bce(logits, correct)
    return total / count.clamp(min=1)


def missed_auc(logits: Tensor, correct: Tensor, threshold: float = 0.5) -> Tensor:
    """1 - mean ROC-AUC over targets (S,), right being an outcome of at least `threshold`; else as `mean_loss`.

    A target with one class is left out; a net without any other ranks by its loss, as if it had found nothing.
    """
    labels = torch.where(correct.isnan(), torch.nan, (correct >= threshold).to(correct.dtype)).cpu().numpy()
    scores = logits.detach().float().cpu().numpy()
    if labels.ndim == 2:
        areas = batched_roc_auc(scores.transpose(1, 0, 2), labels)  # (S, T)
    else:  # every net has its own single target
        areas = batched_roc_auc(scores[..., 0].T, labels[..., 0].T)[:, None]
    seen = (~np.isnan(areas)).sum(1)
    mean = np.nansum(areas, axis=1) / np.maximum(seen, 1)
    blind = 1.0 + mean_loss(logits, correct).detach().cpu().double().numpy()
    return torch.from_numpy(np.where(seen > 0, 1.0 - mean, blind))


MONITORS = {"loss": mean_loss, "auc": missed_auc}
