"""Constant, category prior and logistic regression against scikit-learn and arithmetic."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from prefillroute.errors import UserError
from prefillroute.heads.category_prior import CategoryPriorHead
from prefillroute.heads.constant import ConstantHead
from prefillroute.heads.layout import LABELS, Layout
from prefillroute.heads.logistic import LogisticHead
from prefillroute.heads.logistic_solver import solve_logistic

N, D, M, G = 240, 9, 4, 3


@pytest.fixture
def data() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Features (G, N, D) of very different scales, outcomes with gaps, training and validation masks."""
    rng = torch.Generator().manual_seed(0)
    features = torch.randn(N, D, generator=rng) * torch.logspace(1, -2, D) + 2.0
    weight = torch.randn(D, M, generator=rng) / torch.logspace(1, -2, D)[:, None]
    chance = torch.sigmoid((features - 2.0) @ weight * 0.7)
    correct = (torch.rand(N, M, generator=rng) < chance).float()
    correct[torch.rand(N, M, generator=rng) < 0.1] = torch.nan
    folds = torch.arange(N) % 2
    held = torch.stack([torch.zeros(N, dtype=torch.bool), folds == 0, folds == 1])
    valid = (torch.rand(G, N, generator=rng) < 0.2) & ~held
    return features.expand(G, N, D).clone(), correct, ~held & ~valid, valid


@pytest.mark.parametrize(("dtype", "atol"), [(torch.float64, 1e-5), (torch.float32, 2e-3)])
@pytest.mark.parametrize("c", [1e-4, 1e-2, 1.0, 100.0])
def test_solver_equals_sklearn(data, dtype, atol, c):
    features, correct, *_ = data
    x = features[0].to(dtype)
    weight, bias = solve_logistic(x, correct, torch.full((M,), 1 / c, dtype=dtype), tolerance=1e-13)
    for m in range(M):
        seen = ~correct[:, m].isnan()
        theirs = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-12, max_iter=500)
        theirs.fit(x[seen].double().numpy(), correct[seen, m].numpy())
        expected = theirs.decision_function(x.double().numpy())
        np.testing.assert_allclose(
            (x @ weight[:, m] + bias[m]).numpy(), expected, atol=atol * np.abs(expected).max()
        )


def test_solver_with_more_features_than_rows_and_constant_features():
    rng = torch.Generator().manual_seed(1)
    x = torch.randn(30, 50, generator=rng, dtype=torch.float64)
    x[:, 0] = 5.0
    y = (torch.rand(30, 2, generator=rng) < 0.5).double()
    weight, bias = solve_logistic(x, y, torch.tensor([1.0, 100.0]), tolerance=1e-13)
    for m, c in enumerate((1.0, 0.01)):
        theirs = LogisticRegression(C=c, solver="lbfgs", tol=1e-10, max_iter=5000).fit(
            x.numpy(), y[:, m].numpy()
        )
        np.testing.assert_allclose(weight[:, m], theirs.coef_[0], atol=1e-5)
        np.testing.assert_allclose(bias[m], theirs.intercept_[0], atol=1e-5)


def test_solver_takes_float_outcomes_as_weighted_labels(data):
    features, *_ = data
    x = features[0].double()
    share = torch.rand(N, 1, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    weight, _ = solve_logistic(x, share, torch.tensor([2.0]), tolerance=1e-13)
    twice, labels = np.concatenate([x, x]), np.repeat([1, 0], N)
    weights = np.concatenate([share[:, 0], 1 - share[:, 0]])
    theirs = LogisticRegression(C=0.5, tol=1e-12, solver="newton-cholesky").fit(
        twice, labels, sample_weight=weights
    )
    np.testing.assert_allclose(weight[:, 0], theirs.coef_[0], atol=1e-5)


def test_one_class_target_is_the_rule_of_succession(data):
    features, correct, train, valid = data
    correct[:, 0], correct[:, 1] = 1.0, torch.nan
    head = LogisticHead(Layout(D), M, num_groups=G).fit(features, correct, train, valid)
    p = torch.sigmoid(head(features))
    assert torch.isfinite(p).all()
    n = train[0].sum().item()
    assert p[0, 0, 0, 0].item() == pytest.approx((n + 0.5) / (n + 1), abs=1e-5)
    assert p[0, 0, 0, 1].item() == pytest.approx(0.5)


def test_logistic_head_chooses_c_on_the_validation_part_of_each_group(data):
    features, correct, train, valid = data
    grid = (1e-4, 1e-2, 1.0, 100.0)
    head = LogisticHead(Layout(D), M, num_groups=G, c_grid=grid).fit(features, correct, train, valid)
    logits = head(features)
    assert logits.shape == (G, 1, N, M)
    for g in range(G):
        for m in range(M):
            seen = ~correct[:, m].isnan()
            fit, held = (train[g] & seen).numpy(), (valid[g] & seen).numpy()
            x, y = features[g].double().numpy(), correct[:, m].numpy()
            models = [
                LogisticRegression(C=c, tol=1e-10, solver="newton-cholesky").fit(x[fit], y[fit]) for c in grid
            ]
            losses = [log_loss(y[held], model.predict_proba(x[held])[:, 1]) for model in models]
            best = int(np.argmin(losses))
            assert head.stack(g).strength[0, m].item() == pytest.approx(grid[best])
            expected = models[best].decision_function(x)
            np.testing.assert_allclose(
                logits[g, 0, :, m].numpy(), expected, atol=0.01 * np.abs(expected).max()
            )


@pytest.mark.parametrize("kind", [ConstantHead, LogisticHead])
def test_held_out_rows_leave_a_group_untouched(kind, data):
    features, correct, train, valid = data
    before = kind(Layout(D), M, num_groups=G).fit(features, correct, train, valid)
    row = int((~train[1] & ~valid[1]).nonzero()[0])
    features[1, row] += 100
    correct[row] = 1 - correct[row].nan_to_num(0)
    after = kind(Layout(D), M, num_groups=G).fit(features, correct, train, valid)
    for key, value in before.stack(1).state_dict().items():
        assert torch.equal(value, after.stack(1).state_dict()[key])
    assert any(
        not torch.equal(v, after.stack(0).state_dict()[k]) for k, v in before.stack(0).state_dict().items()
    )


def test_constant_is_the_training_accuracy(data):
    features, correct, train, _ = data
    correct[:, 3] = torch.where(train[0], 1.0, 0.0)
    head = ConstantHead(Layout(D), M, num_groups=G).fit(features, correct, train)
    p = torch.sigmoid(head(features))
    assert p.shape == (G, 1, N, M)
    for g in range(G):
        expected = np.nanmean(correct[train[g]].numpy(), axis=0).clip(1e-6, 1 - 1e-6)
        np.testing.assert_allclose(p[g, 0, 5], expected, atol=1e-6)


def test_category_prior_counts(data):
    _, correct, train, _ = data
    category = torch.arange(N) % 5
    onehot = torch.nn.functional.one_hot(category, 6).float()  # the sixth category never occurs
    onehot[7] = 0  # unknown
    features = onehot.expand(G, N, 6)
    head = CategoryPriorHead(Layout(6, content=LABELS), M, num_groups=G, smoothing=4.0).fit(
        features, correct, train
    )
    p = torch.sigmoid(head(features)).numpy()
    outcome = correct.numpy()
    for g in range(G):
        mine = train[g].numpy() & (np.arange(N) != 7)
        base = np.nanmean(outcome[train[g].numpy()], axis=0)
        for c in range(5):
            rows = mine & (category.numpy() == c)
            hits, count = np.nansum(outcome[rows], axis=0), (~np.isnan(outcome[rows])).sum(0)
            np.testing.assert_allclose(p[g, 0, c], (hits + 4 * base) / (count + 4), atol=1e-6)
        np.testing.assert_allclose(p[g, 0, 7], base, atol=1e-6)


def test_category_prior_without_smoothing_and_with_other_features(data):
    features, correct, train, _ = data
    with pytest.raises(UserError, match="expected one-hot features, found others; use signal=category"):
        CategoryPriorHead(Layout(D, content=LABELS), M, num_groups=G).fit(features, correct, train)
    onehot = torch.zeros(G, N, 2)
    onehot[..., 0] = 1
    head = CategoryPriorHead(Layout(2, content=LABELS), M, num_groups=G, smoothing=0.0).fit(
        onehot, correct, train
    )
    assert torch.isfinite(head(torch.eye(2).expand(G, 2, 2))).all()


def test_bad_hyper_parameters_are_named():
    with pytest.raises(UserError, match="c_grid: expected"):
        LogisticHead(Layout(D), M, c_grid=[1.0, -1.0])
    with pytest.raises(UserError, match="smoothing: expected 0 or more, found -1"):
        CategoryPriorHead(Layout(D, content=LABELS), M, smoothing=-1)
