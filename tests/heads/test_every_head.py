"""What every head promises, trained or solved: shapes, missing outcomes, storage, and which signals it refuses."""

import functools
import json
from typing import Any

import numpy as np
import pytest
import torch

from prefillroute.errors import UserError
from prefillroute.heads.contract import ClosedFormHead, GroupBatch, Head
from prefillroute.heads.layout import Layout
from prefillroute.modules.fit import FittedHead, fit_head
from prefillroute.modules.settings import FitSettings
from prefillroute.spec import restore, store
from tests.every_head import (
    CHANGES,
    CLOSED,
    HEADS,
    KINDS,
    LAYOUTS,
    NEURAL,
    OPTIONS,
    OWN,
    TAKES,
    E,
    G,
    M,
    N,
    accepted,
    chosen,
    data_of,
    make,
    pairs,
    takes,
)  # fmt: skip

SETTINGS = FitSettings(
    num_members=E, num_kept=2, max_epochs=2, batch_size=32, learning_rate=0.02, accelerator="cpu"
)
every_pair = pytest.mark.parametrize(("option", "kind"), pairs(HEADS))
every_refusal = [(option, kind) for option in HEADS for kind in LAYOUTS if kind not in takes(option)]


@functools.cache
def fitted(option: str, kind: str) -> FittedHead:
    return fit_head(make(option, LAYOUTS[kind]), data_of(kind), SETTINGS)


@functools.cache
def whole(option: str, kind: str) -> Head:
    """All groups and members; nets of a neural head are as initialised."""
    head, data = make(option, LAYOUTS[kind]), data_of(kind)
    if isinstance(head, ClosedFormHead):
        head.fit(data.features, data.correct, data.train, data.valid)
    return head.eval()


def stored(head: Head) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    spec, arrays = store(head)
    return json.loads(json.dumps(spec, allow_nan=False)), arrays


def test_no_option_is_left_out_unseen():
    assert {"constant", "logistic"} <= set(CLOSED)
    assert {"shared_trunk", "multi_task", "unified_multi_task", "mirt", "matrix_factorisation"} <= set(NEURAL)
    assert OPTIONS.keys() == set(HEADS)
    assert CHANGES.keys() | TAKES.keys() <= {KINDS[option].__name__ for option in HEADS}


@pytest.mark.parametrize("option", HEADS)
def test_what_a_head_accepts(option):
    assert accepted(option) == takes(option)


@pytest.mark.parametrize(("option", "kind"), every_refusal)
def test_a_signal_that_does_not_fit_is_refused_in_one_line(option, kind):
    with pytest.raises(UserError) as caught:
        make(option, LAYOUTS[kind])
    name = KINDS[option].__name__
    assert str(caught.value).startswith(f"head {name}: expected ")
    assert ", found " in str(caught.value)
    assert "; use signal=" in str(caught.value)
    assert "\n" not in str(caught.value)


@every_pair
def test_logits_are_finite_and_of_the_right_shape(option, kind):
    data = data_of(kind)
    with torch.no_grad():
        logits = whole(option, kind)(data.features)
    assert logits.shape == (G, E, N, M)
    assert torch.isfinite(logits).all()
    ensemble = fitted(option, kind).logits(data.features)
    assert ensemble.shape == (G, N, M)
    assert torch.isfinite(ensemble).all()


@every_pair
def test_a_head_is_stored_as_json_and_arrays(option, kind):
    data = data_of(kind)
    final = fitted(option, kind).final
    for head, features in ((whole(option, kind), data.features), (final, data.features[:1])):
        restored = restore(*stored(head), Head)
        assert type(restored) is type(head)
        assert not restored.training
        assert restored.arguments() == head.arguments()
        with torch.no_grad():
            assert torch.equal(restored(features), head(features))
    arguments = final.arguments()
    said = {key: arguments[key] for key in chosen(option)}
    assert {key: list(v) if isinstance(v, tuple) else v for key, v in said.items()} == chosen(option)


@every_pair
def test_weights_that_do_not_fit_are_refused_in_one_line(option, kind):
    head = whole(option, kind)
    weights = head.fitted()
    name = next(iter(weights))
    wrong = {
        "missing": {key: value for key, value in weights.items() if key != name},
        "unknown": weights | {"groups.0.unheard_of": weights[name]},
        "shape": weights | {name: weights[name][:-1]},
        "another number of groups": make(option, LAYOUTS[kind], groups=G + 1).fitted(),
    }
    for fault, given in wrong.items():
        with pytest.raises(UserError, match=f"head weights do not fit {KINDS[option].__name__}: ") as caught:
            make(option, LAYOUTS[kind]).refit(given)
        assert "\n" not in str(caught.value), fault


@every_pair
def test_select_cuts_out_members(option, kind):
    head, data = whole(option, kind), data_of(kind)
    with torch.no_grad():
        logits = head(data.features)
        cut = head.select(1, [2, 0])
        # One group's product of matrices may round otherwise than the same product among several.
        torch.testing.assert_close(cut(data.features[1:2])[0], logits[1, [2, 0]])
    assert (cut.num_groups, cut.num_members, cut.seed) == (1, 2, head.seed)


@pytest.mark.parametrize(("option", "kind"), pairs(NEURAL))
def test_a_missing_outcome_teaches_nothing(option, kind):
    """Neither its target's logit, nor any logit of a query without a single outcome."""
    head, data = make(option, LAYOUTS[kind]), data_of(kind)
    correct = data.correct.clone()
    correct[3] = torch.nan
    nets = torch.arange(head.stack(0).num_nets)
    shape = head.stack(0)(data.features[0]).shape
    generator = torch.Generator().manual_seed(1)
    outputs = torch.randn(shape, generator=generator, requires_grad=True)
    batch = GroupBatch(data.features[0], correct, data.extras, data.threshold)
    loss = head.training_loss(outputs, batch, nets)
    assert loss.shape == (len(nets),)
    (gradient,) = torch.autograd.grad(loss.sum(), outputs)
    seen = ~head.own_targets(correct, nets).isnan().expand_as(gradient[..., : head.num_outputs])
    learned = gradient[..., : head.num_outputs] != 0
    assert torch.equal(learned, seen)


@pytest.mark.parametrize("option", NEURAL)
def test_an_extra_that_the_data_lack_is_named(option):
    head = make(option, LAYOUTS[next(iter(takes(option)))])
    assert head.reads_extras == ()
    if "difficulty_labels" not in chosen(option):
        return
    with pytest.raises(UserError, match=r"found none; add a signal .* such as signal=embedding_difficulty"):
        make(option, Layout(6), difficulty_labels="judge")
    judged = make(option, LAYOUTS["numbers"], difficulty_labels="judge")
    assert judged.reads_extras == ("difficulty",)
    data = data_of("numbers")
    bare = type(data)(data.features, data.correct, data.train, data.valid)
    with pytest.raises(
        UserError, match=rf"data\.extras: expected difficulty, which {KINDS[option].__name__}"
    ):
        fit_head(judged, bare, SETTINGS)


def test_heads_with_a_predictor_of_each_target_read_its_own_columns_only():
    """Columns of the second target's own change its logits and no other's; those that are common change all."""
    met = set()
    data = data_of("own")
    common = LAYOUTS["own"].common(M)
    for option, kind in pairs(HEADS):
        head = fitted(option, kind).final if kind == "own" else None
        if head is None or head.fits_per_member == 1:
            continue
        met.add(option)
        assert head.features_per_target == common + len(OWN)
        with torch.no_grad():
            before = head(data.features[:1])
            features = data.features[:1].clone()
            features[..., common + len(OWN) : common + 2 * len(OWN)] = 0.5
            after = head(features)
        assert torch.equal(before[..., [0, 2]], after[..., [0, 2]]), option
        assert not torch.equal(before[..., 1], after[..., 1]), option
        mine = head.target_features(features[0], 1)
        assert mine.shape == (N, common + len(OWN))
        assert (mine[:, common:] == 0.5).all()
    assert met == {"independent_mlp", "multi_task", "logistic", "xgboost", "cascade"}
