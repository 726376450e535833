"""What every head that is solved in closed form promises, on outcomes with gaps, without any and of one class."""

import json
from collections.abc import Callable

import pytest
import torch
from prefillroute.heads.restore import head_spec, restore_head
from torch import Tensor

from prefillroute.heads.cascade import CascadeHead
from prefillroute.heads.cluster import ClusterHead
from prefillroute.heads.contract import ClosedFormHead
from prefillroute.heads.logistic import LogisticHead
from prefillroute.heads.neighbour_vote import NeighbourVote
from prefillroute.heads.tiered import TieredHead
from prefillroute.heads.xgboost import XGBoostHead

N, COMMON, OWN, M, G, E = 160, 5, 3, 5, 2, 2
D = COMMON + M * OWN
NAMES = ("ratio_k25", "weighted_k25", "nearest_k25")
SIZES = {"in_features": D, "num_targets": M, "num_groups": G, "num_members": E, "seed": 3}
TREES = {"num_rounds": 12, "patience": 3, "min_child_weight": 1.0}
JOINT: dict[str, Callable[[], ClosedFormHead]] = {
    "logistic": lambda: LogisticHead(**SIZES),
    "xgboost": lambda: XGBoostHead(**SIZES, **TREES),
    "cluster": lambda: ClusterHead(**SIZES, num_clusters=[2, 6], n_init=1),
    "tiered": lambda: TieredHead(**SIZES),
    "cascade": lambda: CascadeHead(**SIZES),
}
PER_TARGET: dict[str, Callable[[], ClosedFormHead]] = {
    "vote": lambda: NeighbourVote(**SIZES, own_features=OWN, own_names=NAMES),
    "logistic_own": lambda: LogisticHead(**SIZES, own_features=OWN, standardise=True),
    "xgboost_own": lambda: XGBoostHead(**SIZES, **TREES, own_features=OWN),
    "cascade_own": lambda: CascadeHead(**SIZES, own_features=OWN, accept=0.55),
}
HEADS = JOINT | PER_TARGET
LEARNING = sorted(set(HEADS) - {"vote"})

Data = tuple[Tensor, Tensor, Tensor, Tensor]


@pytest.fixture
def data() -> Data:
    """Features (G, N, D) in [0, 1], outcomes (N, M) of which target 3 has none and target 4 one class; masks."""
    rng = torch.Generator().manual_seed(0)
    features = torch.rand(N, D, generator=rng)
    chance = torch.sigmoid(8 * (features[:, :M] + features[:, COMMON::OWN] - 1))
    correct = (torch.rand(N, M, generator=rng) < chance).float()
    correct[torch.rand(N, M, generator=rng) < 0.1] = torch.nan
    correct[:, 3] = torch.nan
    correct[:, 4] = torch.where(correct[:, 4].isnan(), torch.nan, 1.0)
    correct[5] = torch.nan
    held = torch.stack([torch.zeros(N, dtype=torch.bool), torch.arange(N) % 2 == 0])
    valid = (torch.rand(G, N, generator=rng) < 0.2) & ~held
    return features.expand(G, N, D).clone(), correct, ~held & ~valid, valid


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("with_valid", [True, False])
def test_logits_are_finite_and_members_alike(name: str, with_valid: bool, data: Data) -> None:
    features, correct, train, valid = data
    logits = HEADS[name]().fit(features, correct, train, valid if with_valid else None)(features)
    assert logits.shape == (G, E, N, M)
    assert torch.isfinite(logits).all()
    assert torch.equal(logits[:, 0], logits[:, 1])
    if name != "vote":
        p = torch.sigmoid(logits)
        assert p[..., 3] == pytest.approx(0.5)  # nothing is known of it
        assert (p[..., 4] >= p[..., :3].amax(-1).clamp(max=0.55) - 1e-6).all()  # right whenever asked
        assert not with_valid or p[0, 0, :, 0].std() > 0.02


@pytest.mark.parametrize("name", LEARNING)
def test_held_out_rows_leave_a_group_untouched(name: str, data: Data) -> None:
    features, correct, train, valid = data
    before = HEADS[name]().fit(features, correct, train, valid)
    out = ~train[1] & ~valid[1]
    features[1, out] += 3.0
    correct[out] = 1 - correct[out].nan_to_num(0.3)
    after = HEADS[name]().fit(features, correct, train, valid)
    changed = {0: False, 1: False}
    for group in changed:
        ours, theirs = before.stack(group).state_dict(), after.stack(group).state_dict()
        changed[group] = any(not torch.equal(value, theirs[key]) for key, value in ours.items())
    assert changed == {0: True, 1: False}


ONE_CHOICE = {
    "logistic": {"c_grid": [0.1]},
    "cluster": {"num_clusters": [4]},
    "tiered": {"c_grid": [0.1]},
    "cascade_own": {"c_grid": [0.1]},
}


@pytest.mark.parametrize("name", ONE_CHOICE)
def test_validation_rows_only_choose(name: str, data: Data) -> None:
    features, correct, train, valid = data
    kind, hyper = type(HEADS[name]()), HEADS[name]().hyper() | ONE_CHOICE[name]
    before = kind(**SIZES, **hyper).fit(features, correct, train, valid).state_dict()
    features[valid] = 0.5
    after = kind(**SIZES, **hyper).fit(features, correct, train, valid).state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items())


@pytest.mark.parametrize("name", HEADS)
def test_restored_heads_say_the_same(name: str, data: Data) -> None:
    features, correct, train, valid = data
    head = HEADS[name]().fit(features, correct, train, valid).eval()
    spec = json.loads(json.dumps(head_spec(head)))
    tensors = {key: value.clone().contiguous() for key, value in head.state_dict().items()}
    assert torch.equal(restore_head(spec, tensors)(features), head(features))
    for group in range(G):  # what a bundle ships
        one = head.select(group, [0])
        restored = restore_head(json.loads(json.dumps(head_spec(one))), one.state_dict())
        # One group's product of matrices may round otherwise than the same product among several.
        torch.testing.assert_close(restored(features[group, None])[0, 0], head(features)[group, 0])


@pytest.mark.parametrize("name", LEARNING)
def test_the_same_seed_gives_the_same_bits(name: str, data: Data) -> None:
    first, second = (HEADS[name]().fit(*data).state_dict() for _ in range(2))
    assert all(torch.equal(value, second[key]) for key, value in first.items())


@pytest.mark.parametrize("name", PER_TARGET)
def test_targets_read_only_their_own_columns(name: str, data: Data) -> None:
    features, correct, train, valid = data
    before = HEADS[name]().fit(features, correct, train, valid)(features)
    noise = torch.rand(G, N, OWN, generator=torch.Generator().manual_seed(1))
    features[..., COMMON + OWN : COMMON + 2 * OWN] = noise
    after = HEADS[name]().fit(features, correct, train, valid)(features)
    others = [0, 2, 3, 4]
    assert torch.equal(before[..., others], after[..., others])
    assert (before[..., 1] - after[..., 1]).abs().max() > 1e-3
