"""What training promises of every head that has weights to train, found by walking conf/head/*.yaml.

A new head is tested here without an edit, unless its class cannot do with six plain features: then it has a line in
`CHANGES` or `READ_TOKENS`. Heads solved in closed form have tests of their own; an option that is no head at all has a
line in `NO_HEADS`.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra.utils import get_object
from omegaconf import OmegaConf
from prefillroute.heads.restore import head_spec, restore_head
from torch import Tensor

from prefillroute.config.build import HYDRA_KEYS, build
from prefillroute.config.search import conf_dir
from prefillroute.data.folded import FoldedData
from prefillroute.heads.contract import ClosedFormHead, Head
from prefillroute.modules.fit import FittedHead, fit_head
from prefillroute.modules.settings import FitSettings

D, M, G, E, N = 6, 3, 3, 3, 100
SETTINGS = FitSettings(
    num_members=E, num_kept=2, max_epochs=3, batch_size=32, learning_rate=0.02, accelerator="cpu"
)
CHANGES: dict[str, dict[str, Any]] = {
    "GraphAttentionHead": {"num_nodes": 3, "width": 4},  # three nodes of two features
    "DebertaHead": {  # random weights, too small to notice
        "model": None,
        "lora_rank": 2,
        "hidden_size": 8,
        "num_layers": 1,
        "intermediate_size": 8,
        "vocab_size": 30,
    },
}
"""By class: what its head must be built with here instead of what the YAML says."""
READ_TOKENS = {"DebertaHead"}
"""Classes whose six features are token ids, -1 after the last."""
NO_HEADS = {"blend"}
"""Options without weights of their own: they average what others predict."""


def walk() -> dict[str, dict[str, Any]]:
    found = {path.stem: path for path in sorted((conf_dir() / "head").glob("*.yaml"))}
    return {option: OmegaConf.to_container(OmegaConf.load(path)) for option, path in found.items()}


OPTIONS = walk()
KINDS = {option: get_object(node["_target_"]) for option, node in OPTIONS.items()}
NEURAL = [o for o, kind in KINDS.items() if issubclass(kind, Head) and not issubclass(kind, ClosedFormHead)]
options = pytest.mark.parametrize("option", NEURAL)


def chosen(option: str) -> dict[str, Any]:
    """The option's hyper-parameters as its YAML says, but narrow."""
    own = {key: value for key, value in OPTIONS[option].items() if key not in HYDRA_KEYS}
    if "hidden" in own:
        own["hidden"] = [8, 6, 5, 4][: len(own["hidden"])]
    return own | CHANGES.get(KINDS[option].__name__, {})


def make(option: str, *, groups: int = G, members: int = E, dropout: bool = True) -> Head:
    values = chosen(option)
    for key in values:
        if "dropout" in key and not dropout:
            values[key] = [0.0] * len(values[key]) if isinstance(values[key], list) else 0.0
    sizes = {"in_features": D, "num_targets": M, "num_groups": groups, "num_members": members}
    node = values | {"_target_": OPTIONS[option]["_target_"]}
    head = build(node, **sizes, seed=5, own_features=0)
    assert isinstance(head, Head)
    return head


def fit(head: Head, data: FoldedData, checkpoint_dir: Path | None = None, **changes: Any) -> FittedHead:
    settings = replace(SETTINGS, **({"num_members": head.num_members} | changes))
    return fit_head(head, data, settings, seed=7, checkpoint_dir=checkpoint_dir)


@pytest.fixture
def data(folded, option) -> FoldedData:
    """With a judge's difficulties, one in nine missing; heads that want none ignore them."""
    made = folded(groups=G, rows=N, features=D, targets=M)
    difficulty = torch.rand(N, generator=torch.Generator().manual_seed(1))
    difficulty[::9] = torch.nan
    features = made.features
    if KINDS[option].__name__ in READ_TOKENS:
        features = (5 * features.abs()).floor().clamp(max=29)
        features[:, ::2, -2:] = -1
    return replace(made, features=features, difficulty=difficulty)


def state_of(fitted: FittedHead, group: int) -> dict[str, Tensor]:
    return fitted.heads[group].state_dict()


def equal_states(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    assert one.keys() == other.keys()
    return all(torch.equal(value, other[key]) for key, value in one.items())


def test_no_option_is_left_out_unseen():
    closed = {option for option, kind in KINDS.items() if issubclass(kind, ClosedFormHead)}
    assert {"constant", "logistic"} <= closed
    assert {"shared_trunk", "multi_task", "unified_multi_task", "mirt", "matrix_factorisation"} <= set(NEURAL)
    assert OPTIONS.keys() - closed - set(NEURAL) == NO_HEADS
    assert CHANGES.keys() | READ_TOKENS <= {KINDS[option].__name__ for option in NEURAL}


@options
def test_resume_is_exact(option, data, tmp_path):
    whole = fit(make(option), data)
    fit(make(option), data, tmp_path, max_epochs=1)
    assert (tmp_path / "last.ckpt").exists()
    resumed = fit(make(option), data, tmp_path)
    assert (resumed.validation_loss == whole.validation_loss).all()
    assert (resumed.best_epoch == whole.best_epoch).all()
    assert whole.best_epoch.max() > 0  # the resumed epochs mattered
    for group in range(G):
        assert equal_states(state_of(resumed, group), state_of(whole, group))


@options
def test_a_group_learns_nothing_from_rows_outside_it(option, data):
    """Another row's features (which any head can read), other outcomes, another difficulty: all bits stay."""
    row = int((~data.train[1] & ~data.valid[1] & data.train[0]).nonzero()[0])
    features, correct, difficulty = data.features.clone(), data.correct.clone(), data.difficulty.clone()
    features[:, row] = features[:, row - 1]
    correct[row] = 1 - correct[row].nan_to_num(0.0)
    difficulty[row] = 0.123
    changed = replace(data, features=features, correct=correct, difficulty=difficulty)
    before, after = fit(make(option), data), fit(make(option), changed)
    assert equal_states(state_of(before, 1), state_of(after, 1))
    assert not equal_states(state_of(before, 0), state_of(after, 0))  # group 0 trains on that row


@options
def test_a_member_trains_as_if_alone(option, data):
    """Without dropout, whose stream the members of a group share."""
    member = E - 1
    together = fit(make(option, dropout=False), data, num_kept=E)
    initial = make(option, dropout=False)
    lone = make(option, members=1, dropout=False)
    first = initial.select(0, [0]).stack(0).state_dict()
    assert equal_states(lone.stack(0).state_dict(), first)  # a member's place seeds it, not their number
    for group in range(G):
        lone.stack(group).load_state_dict(initial.select(group, [member]).stack(0).state_dict())
    alone = fit(lone, data, num_kept=1)
    want = torch.from_numpy(together.validation_loss[:, member : member + 1])
    torch.testing.assert_close(torch.from_numpy(alone.validation_loss), want, atol=1e-4, rtol=1e-4)
    if lone.joint:
        rank = [int((kept == member).nonzero()[0][0]) for kept in together.kept]
        for group in range(G):
            trained = together.heads[group].select(0, [rank[group]]).state_dict()
            torch.testing.assert_close(state_of(alone, group), trained, atol=1e-4, rtol=1e-4)


@options
def test_spec_and_tensors_rebuild_the_fitted_head(option, data):
    head = fit(make(option), data).final
    spec = json.loads(json.dumps(head_spec(head)))
    assert {key: spec["hyper"].get(key, "left out") for key in chosen(option)} == chosen(option)
    restored = restore_head(spec, head.state_dict())
    features = data.features[:1]
    with torch.no_grad():
        logits = head(features)
        assert torch.equal(restored(features), logits)
    assert logits.shape == (1, 2, N, M)
    assert torch.isfinite(logits).all()


@options
def test_select_and_nets_seeded_by_their_place(option, data):
    """Cutting out a member, or adding groups, changes no other logit."""
    head = make(option).eval()
    with torch.no_grad():
        logits = head(data.features)
        cut = head.select(1, [2, 0])(data.features[1:2])
        fewer = make(option, groups=1).eval()(data.features[:1])
    torch.testing.assert_close(cut[0], logits[1, [2, 0]])
    assert not torch.allclose(logits[1, 0], logits[1, 2])
    torch.testing.assert_close(fewer, logits[:1])
