"""Logistic regression on columns of single targets and of unequal units, against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from prefillroute.heads.cascade import CascadeHead
from prefillroute.heads.layout import Layout
from prefillroute.heads.logistic import LinearStack, LogisticHead

N, COMMON, OWN, M = 240, 3, 4, 3
D = COMMON + M * OWN
NAMES = ("a", "b", "c", "d")
GRID = (1e-2, 1.0, 100.0)


@pytest.fixture
def data():
    """Columns of very different scales, one constant; outcomes with gaps that follow a target's own columns."""
    rng = torch.Generator().manual_seed(0)
    plain = torch.randn(N, D, generator=rng)
    own = plain[:, COMMON:].reshape(N, M, OWN)
    chance = torch.sigmoid(1.5 * own[:, :, 0] - own[:, :, 1] + plain[:, :1])
    correct = (torch.rand(N, M, generator=rng) < chance).float()
    correct[torch.rand(N, M, generator=rng) < 0.1] = torch.nan
    features = plain * torch.logspace(1.5, -1.5, D)[torch.randperm(D, generator=rng)] + 1.0
    features[:, 1] = 0.1
    valid = torch.rand(1, N, generator=rng) < 0.25
    return features[None], correct, ~valid, valid


@pytest.mark.parametrize("standardise", [False, True])
@pytest.mark.parametrize("own", [0, OWN])
def test_equals_a_loop_over_targets_of_sklearn(data, standardise, own):
    features, correct, train, valid = data
    head = LogisticHead(Layout(D, NAMES[:own]), M, c_grid=GRID, standardise=standardise)
    logits = head.fit(features, correct, train, valid)(features)[0, 0].numpy()
    stack = head.stack(0)
    assert isinstance(stack, LinearStack)
    for m in range(M):
        start = COMMON + m * OWN
        columns = np.r_[:COMMON, start : start + OWN] if own else np.arange(D)
        x, y = features[0].double().numpy()[:, columns], correct[:, m].numpy()
        seen = ~np.isnan(y)
        fit = seen & train[0].numpy()
        model = LogisticRegression(C=stack.strength[0, m].item(), tol=1e-10, solver="newton-cholesky")
        # The scale is that of all training rows, with an outcome of this target or without.
        scaler = StandardScaler().fit(x[train[0].numpy()]) if standardise else None
        read = scaler.transform if scaler else (lambda values: values)
        expected = model.fit(read(x[fit]), y[fit]).decision_function(read(x))
        np.testing.assert_allclose(logits[:, m], expected, atol=0.01 * np.abs(expected).max())


def test_targets_alone_and_together_are_the_same(data):
    features, correct, train, valid = data
    head = LogisticHead(Layout(D, NAMES), M, standardise=True).fit(features, correct, train, valid)
    for m in range(M):
        mine = head.target_features(features[0], m)[None]
        alone = LogisticHead(Layout(COMMON + OWN), 1, standardise=True).fit(
            mine, correct[:, m, None], train, valid
        )
        torch.testing.assert_close(head(features)[..., m], alone(mine)[..., 0], atol=1e-5, rtol=1e-5)


def test_standardising_makes_units_irrelevant(data):
    features, correct, train, valid = data
    unit = torch.logspace(-2, 2, D)
    for kind in (LogisticHead, CascadeHead):
        plain, scaled = (
            kind(Layout(D), M, c_grid=[1e-2], standardise=True).fit(x, correct, train, valid)(x)
            for x in (features, features * unit)
        )
        torch.testing.assert_close(plain, scaled, atol=1e-3, rtol=1e-3)
        bare, changed = (
            kind(Layout(D), M, c_grid=[1e-2]).fit(x, correct, train, valid)(x)
            for x in (features, features * unit)
        )
        assert (bare - changed).abs().max() > 0.05
