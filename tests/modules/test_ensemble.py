"""The batched pass against nets trained one by one, and what must not leak between groups."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from prefillroute.data.activations import TrainLoader
from prefillroute.data.folded import FoldedData
from prefillroute.heads.independent_mlp import IndependentMLP
from prefillroute.heads.layout import Layout
from prefillroute.heads.logits import masked_bce
from prefillroute.heads.shared_trunk import SharedTrunkNet
from prefillroute.modules.fit import FittedHead, fit_head
from prefillroute.modules.settings import FitSettings

KINDS = (SharedTrunkNet, IndependentMLP)
FAST = FitSettings(
    num_members=4, num_kept=2, max_epochs=14, patience=3, batch_size=64, learning_rate=0.02, accelerator="cpu"
)


def fit(kind, data: FoldedData, settings: FitSettings = FAST, dropout: float = 0.3, **options) -> FittedHead:
    _, _, features = data.features.shape
    head = kind(
        Layout(features),
        data.num_targets,
        data.num_groups,
        settings.num_members,
        seed=5,
        hidden=(8, 6),
        dropout=(dropout, 0),
    )
    return fit_head(head, data, settings, seed=7, **options)


def mean_loss(logits: Tensor, correct: Tensor) -> Tensor:
    seen = ~correct.isnan()
    return binary_cross_entropy_with_logits(logits[seen], correct[seen])


def lone_fit(
    data: FoldedData, group: int, net: int, joint: bool, optimizer: str, weight_decay: float
) -> tuple[nn.Sequential, float, int]:
    """One net of a dropout-free ensemble trained alone by torch.nn and torch.optim: (net, best loss, best epoch)."""
    kind = SharedTrunkNet if joint else IndependentMLP
    features, targets = data.features.shape[2], data.num_targets
    head = kind(
        Layout(features), targets, data.num_groups, FAST.num_members, seed=5, hidden=(8, 6), dropout=(0, 0)
    )
    outputs = targets if joint else 1
    widths = [(features, 8), (8, 6), (6, outputs)]
    layers = [nn.Linear(*width) for width in widths]
    for i, layer in enumerate(layers):
        stacked = head.stack(group).layers[i]
        with torch.no_grad():
            layer.weight.copy_(stacked.weight[net])
            layer.bias.copy_(stacked.bias[net, :, 0])
    model = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
    columns = slice(None) if joint else slice(net % targets, net % targets + 1)
    kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    step = kinds[optimizer](model.parameters(), lr=FAST.learning_rate, weight_decay=weight_decay)
    x, y = data.features[group], data.correct[:, columns]
    best, best_epoch, state, waited = float("inf"), -1, {}, 0
    for epoch in range(FAST.max_epochs):
        for batch in TrainLoader(data, FAST.batch_size, 7, lambda epoch=epoch: epoch):
            rows = batch.rows[group]
            if rows is None:
                continue
            step.zero_grad()
            mean_loss(model(x[rows]), y[rows]).backward()
            step.step()
        with torch.no_grad():
            loss = mean_loss(model(x[data.valid[group]]), y[data.valid[group]]).item()
        if loss < best - FAST.min_delta:
            best, best_epoch, state, waited = loss, epoch, copy.deepcopy(model.state_dict()), 0
        else:
            waited += 1
        if waited >= FAST.patience:
            break
    model.load_state_dict(state)
    return model, best, best_epoch


@pytest.mark.parametrize(
    ("joint", "optimizer", "decay"), [(True, "adam", 1e-3), (False, "adam", 1e-3), (True, "adamw", 0.5)]
)
def test_each_net_is_what_it_would_be_alone(folded, joint, optimizer, decay):
    """0.5 is a decay at which the two optimizers differ."""
    data = folded()
    settings = replace(FAST, optimizer=optimizer, weight_decay=decay)
    fitted = fit(SharedTrunkNet if joint else IndependentMLP, data, settings, dropout=0.0)
    epochs = set()
    for group in range(data.num_groups):
        for member in range(FAST.num_members):
            for target in range(1 if joint else data.num_targets):
                net = member if joint else member * data.num_targets + target
                at = (group, member) if joint else (group, member, target)
                _, loss, epoch = lone_fit(data, group, net, joint, optimizer, decay)
                assert fitted.validation_loss[at] == pytest.approx(loss, abs=2e-4)
                assert fitted.best_epoch[at] == epoch
                epochs.add(epoch)
    assert len(epochs) > 3, "the nets must stop at different times for this to test compaction"


@pytest.mark.parametrize("kind", KINDS)
def test_kept_members_are_the_best_on_the_common_validation_part(folded, kind):
    data = folded()
    fitted = fit(kind, data)
    loss = fitted.validation_loss
    np.testing.assert_array_equal(fitted.kept, np.argsort(loss, axis=1, kind="stable")[:, : FAST.num_kept])
    for group in range(data.num_groups):
        rows = data.valid[group]
        logits = fitted.heads[group].group_logits(0, data.features[group, rows])  # (K, B, M)
        for k in range(FAST.num_kept):
            for m in range(data.num_targets):
                if kind is IndependentMLP:
                    own = mean_loss(logits[k, :, m], data.correct[rows, m]).item()
                    assert own == pytest.approx(loss[group, fitted.kept[group, k, m], m], abs=1e-5)
            if kind is SharedTrunkNet:
                own = mean_loss(logits[k], data.correct[rows]).item()
                assert own == pytest.approx(loss[group, fitted.kept[group, k]], abs=1e-5)


def test_adam_and_adamw_decay_weights_in_two_ways(folded):
    data = folded(groups=1)
    adam, adamw = (
        fit(SharedTrunkNet, data, replace(FAST, optimizer=name, weight_decay=0.5))
        for name in ("adam", "adamw")
    )
    assert (adam.validation_loss != adamw.validation_loss).any()
    same = [
        fit(SharedTrunkNet, data, replace(FAST, optimizer=name, weight_decay=0.0)).validation_loss
        for name in ("adam", "adamw")
    ]
    np.testing.assert_allclose(same[0], same[1], atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("num_kept", [1, 3])
def test_members_are_ranked_by_auc_on_the_calibration_part(folded, kind, num_kept):
    """Against scikit-learn's AUC of every member; the order on the validation part is another one."""
    data, other = folded(groups=1), folded(groups=1, seed=3, rows=90)
    calibration = (other.features[0], other.correct)
    settings = replace(FAST, monitor="auc", ranked_on="calibration", num_kept=4)
    everyone = fit(kind, data, settings, calibration=calibration)
    areas = np.empty((4, 3))  # of members, as the fit has sorted them, and targets
    for place in range(4):
        z = everyone.final.group_logits(0, other.features[0])[place].detach()
        for m in range(3):
            seen = ~other.correct[:, m].isnan()
            areas[place, m] = roc_auc_score(other.correct[seen, m], z[seen, m])
    joint = kind is SharedTrunkNet
    wanted = 1 - areas.mean(1) if joint else 1 - areas
    ranked = np.take_along_axis(everyone.ranking_loss[0], everyone.kept[0], axis=0)
    np.testing.assert_allclose(ranked, wanted, atol=1e-6)
    assert (np.diff(ranked, axis=0) >= 0).all()
    fitted = fit(kind, data, replace(settings, num_kept=num_kept), calibration=calibration)
    np.testing.assert_array_equal(fitted.kept, everyone.kept[:, :num_kept])
    plain = fit(kind, data, replace(settings, ranked_on="validation"), calibration=calibration)
    np.testing.assert_array_equal(plain.validation_loss, everyone.validation_loss)
    np.testing.assert_array_equal(plain.ranking_loss, plain.validation_loss)
    assert (plain.kept != everyone.kept).any(), "the two parts must disagree for this to test anything"
    without = fit(kind, data, settings)
    np.testing.assert_array_equal(without.kept, plain.kept)  # no calibration part: the validation part ranks


def test_a_calibration_part_of_one_class_leaves_the_ranking_to_the_validation_part(folded):
    data, other = folded(groups=1), folded(groups=1, seed=3)
    calibration = (other.features[0], torch.full_like(other.correct, torch.nan))
    settings = replace(FAST, monitor="auc", ranked_on="calibration")
    plain = fit(IndependentMLP, data, replace(settings, ranked_on="validation"))
    np.testing.assert_array_equal(
        fit(IndependentMLP, data, settings, calibration=calibration).kept, plain.kept
    )


@pytest.mark.parametrize("kind", KINDS)
def test_prediction_is_the_mean_of_sigmoids(folded, kind):
    data = folded()
    fitted = fit(kind, data)
    z = fitted.logits(data.features)
    assert z.shape == (data.num_groups, 180, data.num_targets)
    mean = torch.sigmoid(fitted.final(data.features[:1]).double()).mean(1)[0]
    torch.testing.assert_close(z[0].double(), torch.logit(mean), atol=1e-5, rtol=1e-5)
    assert fitted.final.num_members == FAST.num_kept
    assert not fitted.final.training


@pytest.mark.parametrize("kind", KINDS)
def test_a_held_out_row_does_not_change_a_single_bit_of_its_group(folded, kind):
    data = folded()
    before = fit(kind, data)
    row = int((~data.train[1] & ~data.valid[1]).nonzero()[0])
    data.features[:, row] += 3.0
    data.correct[row] = 1 - data.correct[row].nan_to_num(0.0)
    after = fit(kind, data)
    for key, value in before.heads[1].state_dict().items():
        assert torch.equal(value, after.heads[1].state_dict()[key])
    np.testing.assert_array_equal(before.validation_loss[1], after.validation_loss[1])
    assert not np.array_equal(before.validation_loss[0], after.validation_loss[0])


def test_missing_outcomes_are_not_wrong_ones(folded):
    data = folded(missing=0.0)
    gaps = data.correct.clone()
    gaps[::2, 0] = torch.nan
    masked = FoldedData(data.features, gaps, data.train, data.valid)
    as_wrong = FoldedData(data.features, gaps.nan_to_num(0.0), data.train, data.valid)
    truth = data.correct[:, 0].mean().item()
    p = torch.sigmoid(fit(SharedTrunkNet, masked).logits(data.features))[0, :, 0].mean().item()
    q = torch.sigmoid(fit(SharedTrunkNet, as_wrong).logits(data.features))[0, :, 0].mean().item()
    assert abs(p - truth) < 0.1 < truth - q


def test_masked_bce_equals_torch():
    rng = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 7, 3, generator=rng)
    correct = torch.rand(7, 3, generator=rng)
    correct[2, 1] = correct[4] = torch.nan
    total, count = masked_bce(logits, correct)
    for s in range(5):
        assert (total[s] / count[s]).item() == pytest.approx(mean_loss(logits[s], correct).item(), rel=1e-5)
    total, count = masked_bce(logits, torch.full((7, 3), torch.nan))
    assert total.tolist() == count.tolist() == [0.0] * 5


def test_seeds_give_the_same_run_or_another(folded):
    data = folded()
    a, b = fit(SharedTrunkNet, data), fit(SharedTrunkNet, data)
    np.testing.assert_array_equal(a.validation_loss, b.validation_loss)
    head = SharedTrunkNet(Layout(6), 3, 3, 4, seed=5, hidden=(8, 6), dropout=(0.3, 0))
    c = fit_head(head, data, FAST, seed=8)
    assert not np.array_equal(a.validation_loss, c.validation_loss)
    torch.manual_seed(123)  # nothing draws from the global generator
    state = torch.get_rng_state()
    fit(SharedTrunkNet, data)
    assert torch.equal(state, torch.get_rng_state())


def test_a_net_that_diverges_keeps_its_best_state_and_is_not_kept(folded):
    data = folded()
    wild = FitSettings(
        num_members=4,
        num_kept=2,
        max_epochs=8,
        patience=2,
        batch_size=64,
        learning_rate=1e30,
        accelerator="cpu",
    )
    fitted = fit(SharedTrunkNet, data, wild)
    assert torch.isfinite(fitted.logits(data.features)).all()
