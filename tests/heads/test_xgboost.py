"""Boosted trees per target against XGBoost's own scikit-learn interface."""

import sys

import numpy as np
import pytest
import torch
from xgboost import XGBClassifier, XGBRegressor

from prefillroute.errors import UserError
from prefillroute.heads.layout import Layout
from prefillroute.heads.xgboost import BoosterStack, XGBoostHead
from prefillroute.seeds import derive_seed
from prefillroute.spec import restore, store

N, D, M = 500, 6, 3
HYPER = {"num_rounds": 60, "patience": 5, "max_depth": 3, "min_child_weight": 1.0, "learning_rate": 0.2}


@pytest.fixture
def data():
    """A nonlinear rule with noise, complete outcomes."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((N, D)).astype(np.float32)
    slope = np.array([[2.0], [-1.0], [0.5]])
    chance = 1 / (1 + np.exp(-2 * x[:, 0] * x[:, 1] - slope * x[:, 2])).T
    correct = torch.from_numpy((rng.random((N, M)) < chance).astype(np.float32))
    valid = torch.from_numpy(rng.random((1, N)) < 0.3)
    return torch.from_numpy(x)[None], correct, ~valid, valid


def their_logit(x, y, train, valid, target, group=0, kind=XGBClassifier):
    """What XGBoost's wrapper makes of the rows with an outcome, for all rows of x."""
    seen = ~np.isnan(y)
    fit, held = train & seen, valid & seen
    model = kind(
        objective="binary:logistic",
        n_estimators=HYPER["num_rounds"],
        early_stopping_rounds=HYPER["patience"],
        eval_metric="logloss",
        tree_method="hist",
        max_bin=64,
        max_depth=HYPER["max_depth"],
        learning_rate=HYPER["learning_rate"],
        min_child_weight=HYPER["min_child_weight"],
        subsample=0.8,
        colsample_bytree=0.5,
        reg_lambda=1.0,
        random_state=derive_seed(7, "xgboost", group, target) % 2**31,
        n_jobs=1,
    ).fit(x[fit], y[fit], eval_set=[(x[held], y[held])], verbose=False)
    assert 0 < model.best_iteration < HYPER["num_rounds"] - 1, "early stopping is to have a say"
    return model.predict(x, output_margin=True)


@pytest.mark.parametrize("gaps", ["none", "anywhere", "train", "valid"])
def test_equals_the_sklearn_interface(data, gaps):
    features, correct, train, valid = data
    rows = {"none": ~(train | valid), "anywhere": train | valid, "train": train, "valid": valid}[gaps][0]
    missing = torch.rand(N, 2, generator=torch.Generator().manual_seed(1)) < 0.2
    correct[:, :2][missing & rows[:, None]] = torch.nan  # the third target takes the rows as they are
    head = XGBoostHead(Layout(D), M, num_members=2, seed=7, **HYPER).fit(features, correct, train, valid)
    logits = head(features)
    assert logits.shape == (1, 2, N, M)
    for m in range(M):
        expected = their_logit(
            features[0].numpy(), correct[:, m].numpy(), train[0].numpy(), valid[0].numpy(), m
        )
        np.testing.assert_allclose(logits[0, 0, :, m], expected, atol=1e-6)
    assert torch.equal(logits[0, 0], logits[0, 1])


def test_scores_between_zero_and_one_are_labels(data):
    features, correct, train, valid = data
    noise = torch.randn(N, generator=torch.Generator().manual_seed(1))
    correct[:, 0] = torch.sigmoid(features[0, :, 3] + features[0, :, 4] + 2 * noise)
    head = XGBoostHead(Layout(D), M, seed=7, **HYPER).fit(features, correct, train, valid)
    x, y = features[0].numpy(), correct[:, 0].numpy()
    expected = their_logit(x, y, train[0].numpy(), valid[0].numpy(), 0, kind=XGBRegressor)
    np.testing.assert_allclose(head(features)[0, 0, :, 0], expected, atol=1e-6)


def test_own_columns_equal_a_loop_over_targets(data):
    features, correct, train, valid = data
    head = XGBoostHead(Layout(D, own=("a",)), M, seed=7, **HYPER).fit(features, correct, train, valid)
    for m in range(M):
        x = np.ascontiguousarray(features[0][:, [0, 1, 2, 3 + m]].numpy())
        expected = their_logit(x, correct[:, m].numpy(), train[0].numpy(), valid[0].numpy(), m)
        np.testing.assert_allclose(head(features)[0, 0, :, m], expected, atol=1e-6)


def test_sharing_the_matrix_changes_nothing(data):
    """A target's trees do not depend on whether other targets have gaps."""
    features, correct, train, valid = data
    shared = XGBoostHead(Layout(D), M, **HYPER).fit(features, correct, train, valid)
    alone = correct.clone()
    alone[:, :2] = torch.nan
    single = XGBoostHead(Layout(D), M, **HYPER).fit(features, alone, train, valid)
    assert torch.equal(shared(features)[..., 2], single(features)[..., 2])


def test_without_outcomes_to_stop_by_there_are_few_trees(data):
    features, correct, train, valid = data
    correct[valid[0], 1] = torch.nan
    head = XGBoostHead(Layout(D), M, **HYPER).fit(features, correct, train, valid)
    without = XGBoostHead(Layout(D), M, **HYPER).fit(features, correct, train)
    assert torch.equal(head(features)[..., 1], without(features)[..., 1])
    few = XGBoostHead(Layout(D), M, **HYPER | {"num_rounds": HYPER["patience"]}).fit(features, correct, train)
    assert torch.equal(few(features), without(features))  # `patience` trees, not num_rounds
    fewer = XGBoostHead(Layout(D), M, **HYPER | {"num_rounds": 2}).fit(features, correct, train)
    assert not torch.equal(fewer(features), without(features))


def test_a_target_of_one_class_is_the_rule_of_succession(data):
    features, correct, train, valid = data
    correct[:, 0], correct[:, 1] = 1.0, torch.nan
    head = XGBoostHead(Layout(D), M, **HYPER).fit(features, correct, train, valid)
    n = train.sum().item()
    p = torch.sigmoid(head(features))[0, 0]
    np.testing.assert_allclose(p[:, 0], (n + 0.5) / (n + 1), atol=1e-6)
    np.testing.assert_allclose(p[:, 1], 0.5)
    assert p[:, 2].std() > 0.05
    stack = head.stack(0)
    assert isinstance(stack, BoosterStack)
    assert stack.length[0, :2].tolist() == [0, 0]


def test_members_share_memory_and_single_nets_can_be_cut_out(data):
    features, *rest = data
    head = XGBoostHead(Layout(D), M, num_members=10, **HYPER).fit(features, *rest)
    stack = head.stack(0)
    assert isinstance(stack, BoosterStack)
    assert stack.booster.untyped_storage().nbytes() == stack.booster[0].numel()
    before = stack(features[0])
    stack.keep_nets(torch.tensor([4, 1]))
    assert torch.equal(stack(features[0]), before[:2])


def test_trees_that_are_none_are_refused(data):
    features, *rest = data
    head = XGBoostHead(Layout(D), M, **HYPER).fit(features, *rest)
    spec, arrays = store(head)
    arrays["groups.0.booster"][0, 0, :20] = 7
    with pytest.raises(UserError, match="trees that XGBoost cannot read"):
        restore(spec, arrays, XGBoostHead)(features)
    arrays["groups.0.booster"] = arrays["groups.0.booster"][:, :2]
    with pytest.raises(UserError, match="head weights do not fit"):
        restore(spec, arrays, XGBoostHead)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(UserError, match="needs the module 'xgboost'; run pip install xgboost-cpu"):
        XGBoostHead(Layout(D), M)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("num_rounds", 0),
        ("patience", 0),
        ("max_bin", 1),
        ("subsample", 0.0),
        ("learning_rate", 2.0),
        ("reg_lambda", -1),
    ],
)
def test_bad_hyper_parameters_are_named(key, value):
    with pytest.raises(UserError, match=rf"head\.{key}: expected .*, found {value}"):
        XGBoostHead(Layout(D), M, **{key: value})
