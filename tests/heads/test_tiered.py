"""Two-stage tiered routing against scikit-learn and pandas."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from prefillroute.errors import UserError
from prefillroute.heads.layout import Layout
from prefillroute.heads.tiered import TieredHead, TieredStack, difficulty_tiers

N, D, M = 300, 5, 7


@pytest.fixture
def data():
    """Outcomes that depend on one direction of difficulty, with gaps and queries without any."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((N, D)).astype(np.float32)
    chance = 1 / (1 + np.exp(-2 * x[:, :1] - np.linspace(-1, 2, M)))
    correct = (rng.random((N, M)) < chance).astype(np.float32)
    correct[rng.random((N, M)) < 0.1] = np.nan
    correct[:4] = np.nan
    valid = rng.random((1, N)) < 0.25
    return (
        torch.from_numpy(x)[None],
        torch.from_numpy(correct),
        torch.from_numpy(~valid),
        torch.from_numpy(valid),
    )


@pytest.mark.parametrize("num_tiers", [2, 3, 5])
def test_equals_sklearn_and_groupby(data, num_tiers):
    features, correct, train, valid = data
    grid = [1e-4, 1e-2, 1.0]
    head = TieredHead(Layout(D), M, num_tiers=num_tiers, c_grid=grid, smoothing=6.0)
    head.fit(features, correct, train, valid)

    frame = pd.DataFrame(correct.numpy())[train[0].numpy()].dropna(how="all")
    share = frame.mean(axis=1)
    tier = np.floor(num_tiers * (share.rank() - 0.5) / len(share)).astype(int)
    assert tier.nunique() == num_tiers
    groups = frame.groupby(tier)
    accuracy = (groups.sum() + 6 * frame.mean()) / (groups.count() + 6)
    x, y, held = features[0].double().numpy(), correct.numpy(), valid[0].numpy()
    seen = ~np.isnan(y[held])
    losses, tables = [], []
    for c in grid:
        model = LogisticRegression(C=c, tol=1e-9, max_iter=5000).fit(x[frame.index], tier)
        tables.append(model.predict_proba(x) @ accuracy.to_numpy())
        losses.append(log_loss(y[held][seen], tables[-1][held][seen]))
    best = int(np.argmin(losses))
    stack = head.stack(0)
    assert isinstance(stack, TieredStack)
    assert stack.strength.item() == pytest.approx(grid[best])
    np.testing.assert_allclose(torch.sigmoid(head(features))[0, 0], tables[best], atol=2e-4)


def test_tiers_by_hand():
    right = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [1, np.nan], [1, 1]])
    assert difficulty_tiers(right, 3).tolist() == [0, 1, 1, 2, 2, 2]
    assert difficulty_tiers(right, 2).tolist() == [0, 0, 0, 1, 1, 1]
    many = np.array([[1.0]] * 97 + [[0.0]] * 3)  # most queries are right everywhere: the hard ones stay apart
    assert difficulty_tiers(many, 3).tolist() == [1] * 97 + [0] * 3


@given(st.lists(st.integers(0, 4), min_size=1, max_size=40), st.integers(2, 5))
def test_tiers_are_in_order_and_never_all_one(rights: list[int], num_tiers: int) -> None:
    correct = (np.arange(4) < np.array(rights)[:, None]).astype(float)
    tier = difficulty_tiers(correct, num_tiers)
    assert tier.min() >= 0
    assert tier.max() < num_tiers
    order = np.argsort(rights, kind="stable")
    assert (np.diff(tier[order]) >= 0).all()
    assert all(len(set(tier[np.array(rights) == share])) == 1 for share in set(rights))
    if num_tiers == 2 and len(set(rights)) > 1:
        assert len(set(tier)) == 2


@pytest.mark.parametrize("shares", [[1.0], [0.0, 1.0]])
def test_tiers_without_queries_get_no_probability(shares):
    rng = np.random.default_rng(1)
    correct = torch.from_numpy(rng.permutation(np.resize(shares, 90)).astype(np.float32))[:, None].expand(
        -1, 2
    )
    features = torch.from_numpy(rng.standard_normal((1, 90, D)).astype(np.float32))
    head = TieredHead(Layout(D), 2, num_tiers=5).fit(features, correct, torch.ones(1, 90, dtype=torch.bool))
    stack = head.stack(0)
    assert isinstance(stack, TieredStack)
    assert torch.isfinite(stack.bias).sum() == len(shares)
    p = torch.sigmoid(head(features))
    assert torch.isfinite(p).all()
    np.testing.assert_allclose(p.mean(), np.mean(shares), atol=0.02)


def test_bad_hyper_parameters_are_named():
    with pytest.raises(UserError, match=r"head\.num_tiers: .* found 1"):
        TieredHead(Layout(D), M, num_tiers=1)
    with pytest.raises(UserError, match=r"head\.c_grid: .* found \[0\]"):
        TieredHead(Layout(D), M, c_grid=[0])
    with pytest.raises(UserError, match=r"head\.smoothing: .* found -2"):
        TieredHead(Layout(D), M, smoothing=-2)
