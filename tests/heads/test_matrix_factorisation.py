"""MatrixFactorisation against the formula, and on outcomes planted with few dimensions."""

import numpy as np
import pytest
import torch
from scipy.special import expit
from sklearn.metrics import log_loss

from prefillroute.data.folded import FoldedData
from prefillroute.errors import UserError
from prefillroute.heads.layout import Layout
from prefillroute.heads.matrix_factorisation import MatrixFactorisation
from prefillroute.modules.fit import fit_head
from prefillroute.modules.settings import FitSettings

D, M, E, B = 6, 8, 3, 40


def test_logits_are_the_formula():
    head = MatrixFactorisation(Layout(D), M, 2, E, seed=1, rank=5).eval()
    features = torch.randn(2, B, D, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        head.stack(1).bias.normal_(generator=torch.Generator().manual_seed(1))
    logits = head(features)
    assert logits.shape == (2, E, B, M)
    stack = head.stack(1)
    for e in range(E):
        projected = features[1] @ stack.projection.weight[e].T + stack.projection.bias[e, :, 0]
        for m in range(M):
            expected = (projected * stack.target[e, m]) @ stack.weight[e, 0] + stack.bias[e, m]
            torch.testing.assert_close(logits[1, e, :, m], expected)


@pytest.mark.parametrize("rank", [1, 3])
def test_rank_bounds_the_rank_of_the_logits(rank):
    head = MatrixFactorisation(Layout(D), M, 1, E, rank=rank).double()
    with torch.no_grad():
        head.stack(0).bias.normal_(generator=torch.Generator().manual_seed(1))
    features = torch.randn(1, B, D, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    logits = head(features)[0].detach()
    bias = head.stack(0).bias.detach().transpose(1, 2)
    for e in range(E):
        assert np.linalg.matrix_rank(logits[e].numpy()) == rank + 1
        assert np.linalg.matrix_rank((logits - bias)[e].numpy()) == rank


def test_members_differ_and_biases_start_level():
    stack = MatrixFactorisation(Layout(D), M, 1, E, rank=5).stack(0)
    for tensor in (stack.projection.weight, stack.target, stack.weight):
        assert not torch.equal(tensor[0], tensor[1])
    assert (stack.bias == 0).all()


def test_planted_low_rank_outcomes_are_found():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2500, D))
    logits = (x @ rng.normal(size=(D, 2))) @ rng.normal(size=(2, M)) + rng.normal(size=M)
    correct = (rng.random(logits.shape) < expit(logits)).astype(np.float32)
    observed = correct.copy()
    observed[rng.random(logits.shape) < 0.1] = np.nan
    train, test = np.arange(2500) < 1400, np.arange(2500) >= 1700
    valid = ~train & ~test
    tensors = (x[None].astype(np.float32), observed, train[None], valid[None])
    data = FoldedData(*(torch.from_numpy(tensor) for tensor in tensors))
    settings = FitSettings(
        num_members=2,
        num_kept=2,
        max_epochs=30,
        patience=8,
        batch_size=128,
        learning_rate=0.01,
        weight_decay=0.0,
        accelerator="cpu",
    )
    fitted = fit_head(MatrixFactorisation(Layout(D), M, 1, 2, rank=2), data, settings, seed=0)
    guess = fitted.logits(data.features)[0].sigmoid().double().numpy()[test].ravel()
    found = log_loss(correct[test].ravel(), guess)
    best = log_loss(correct[test].ravel(), expit(logits)[test].ravel())
    constant = log_loss(correct[test].ravel(), np.tile(correct[train].mean(0), (test.sum(), 1)).ravel())
    assert constant - best > 0.1
    assert found - best < 0.03 * (constant - best)  # 0.005 when written


def test_bad_rank_is_named():
    with pytest.raises(UserError, match=r"head\.rank: expected at least 1, found 0"):
        MatrixFactorisation(Layout(D), M, rank=0)
