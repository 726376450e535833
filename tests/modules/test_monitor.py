"""What nets are stopped by, against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from prefillroute.modules.monitor import mean_loss, missed_auc

NAN = float("nan")


@pytest.mark.parametrize("threshold", [0.5, 0.7])
@pytest.mark.parametrize("joint", [True, False])
def test_missed_auc_is_scikit_learns(threshold: float, joint: bool) -> None:
    rng = np.random.default_rng(0)
    correct = rng.choice([0.0, 0.3, 0.6, 0.7, 1.0], size=(60, 3)).astype(np.float32)
    correct[rng.random(correct.shape) < 0.2] = NAN
    logits = rng.normal(size=(3, 60, 3 if joint else 1)).astype(np.float32)
    own = torch.from_numpy(correct if joint else correct.T[:, :, None].copy())
    found = missed_auc(torch.from_numpy(logits), own, threshold)
    for net in range(3):
        areas = []
        for column, target in enumerate(range(3) if joint else [net]):
            seen = ~np.isnan(correct[:, target])
            right = correct[seen, target] >= np.float32(threshold)
            areas.append(roc_auc_score(right, logits[net, seen, column]))
        assert float(found[net]) == pytest.approx(1 - np.mean(areas), abs=1e-6)


def test_a_net_without_an_area_ranks_by_its_loss() -> None:
    correct = torch.tensor([[1.0], [1.0], [NAN]])
    logits = torch.tensor([[[3.0], [2.0], [0.0]], [[-3.0], [2.0], [0.0]]])
    found = missed_auc(logits, correct)
    assert found.tolist() == pytest.approx((1 + mean_loss(logits, correct)).tolist())
    assert found[0] < found[1]
