"""What every head that is solved in closed form promises, on outcomes with gaps, without any and of one class."""

from dataclasses import replace

import pytest
import torch

from prefillroute.data.folded import FoldedData
from prefillroute.heads.contract import ClosedFormHead
from tests.every_head import CLOSED, KINDS, LAYOUTS, OWN, M, N, data_of, make, pairs

UNTAUGHT = {"NeighbourVote"}
"""Classes that read what the signal found and learn nothing themselves."""
NO_OUTCOME, ALWAYS_RIGHT = 1, 2
every_pair = pytest.mark.parametrize(("option", "kind"), pairs(CLOSED))
learning = [pair for pair in pairs(CLOSED) if KINDS[pair[0]].__name__ not in UNTAUGHT]
every_learning_pair = pytest.mark.parametrize(("option", "kind"), learning)


def odd(kind: str) -> FoldedData:
    """One target has no outcome, another is right whenever it is asked, and one query was never asked."""
    data = data_of(kind)
    correct = data.correct.clone()
    correct[:, NO_OUTCOME] = torch.nan
    correct[:, ALWAYS_RIGHT] = torch.where(correct[:, ALWAYS_RIGHT].isnan(), torch.nan, 1.0)
    correct[5] = torch.nan
    return replace(data, correct=correct)


def solve(
    option: str, kind: str, data: FoldedData, with_valid: bool = True, **hyper: object
) -> ClosedFormHead:
    head = make(option, LAYOUTS[kind], members=2, **hyper)
    assert isinstance(head, ClosedFormHead)
    return head.fit(data.features, data.correct, data.train, data.valid if with_valid else None)


@every_pair
@pytest.mark.parametrize("with_valid", [True, False])
def test_logits_are_finite_and_members_alike(option: str, kind: str, with_valid: bool) -> None:
    data = odd(kind)
    head = solve(option, kind, data, with_valid)
    logits = head(data.features)
    assert torch.isfinite(logits).all()
    assert torch.equal(logits[:, 0], logits[:, 1])
    if KINDS[option].__name__ not in UNTAUGHT:
        p = torch.sigmoid(logits)
        assert p[..., NO_OUTCOME] == pytest.approx(0.5)
        assert (p[..., ALWAYS_RIGHT] > 0.59).all()  # a missing outcome is not a wrong one


@every_learning_pair
def test_held_out_rows_leave_a_group_untouched(option: str, kind: str) -> None:
    data = data_of(kind)
    before = solve(option, kind, data)
    out = ~data.train[1] & ~data.valid[1]
    features, correct = data.features.clone(), data.correct.clone()
    features[1, out] += 3.0
    correct[out] = 1 - correct[out].nan_to_num(0.3)
    after = solve(option, kind, replace(data, features=features, correct=correct))
    changed = {0: False, 1: False}
    for group in changed:
        ours, theirs = before.stack(group).state_dict(), after.stack(group).state_dict()
        changed[group] = any(not torch.equal(value, theirs[key]) for key, value in ours.items())
    assert changed == {0: True, 1: False}


@every_learning_pair
def test_validation_rows_only_choose(option: str, kind: str) -> None:
    """With a single candidate of each grid, they change nothing; boosted trees are stopped by them."""
    grids = {
        key: value[:1]
        for key, value in make(option, LAYOUTS[kind]).arguments().items()
        if key in ("c_grid", "num_clusters")
    }
    data = data_of(kind)
    features = data.features.clone()
    features[data.valid] = 0.0
    first, second = (
        solve(option, kind, given, **grids).state_dict() for given in (data, replace(data, features=features))
    )
    same = all(torch.equal(value, second[key]) for key, value in first.items() if key in second)
    assert same is ("patience" not in make(option, LAYOUTS[kind]).arguments())


@every_learning_pair
def test_the_same_seed_gives_the_same_bits(option: str, kind: str) -> None:
    data = odd(kind)
    first, second = (solve(option, kind, data).state_dict() for _ in range(2))
    assert all(torch.equal(value, second[key]) for key, value in first.items())


@pytest.mark.parametrize("option", [option for option, kind in pairs(CLOSED) if kind == "own"])
def test_what_a_target_learns_comes_from_its_own_columns(option: str) -> None:
    data, common = data_of("own"), LAYOUTS["own"].common(M)
    head = solve(option, "own", data)
    before = head(data.features)
    features = data.features.clone()
    noise = torch.rand(N, len(OWN), generator=torch.Generator().manual_seed(1))
    features[..., common + len(OWN) : common + 2 * len(OWN)] = noise
    after = solve(option, "own", replace(data, features=features))(features)
    others = torch.equal(before[..., [0, 2]], after[..., [0, 2]])
    reads_all = head.fits_per_member == 1 and KINDS[option].__name__ not in UNTAUGHT
    if option == "constant":
        assert torch.equal(before, after)
        return
    assert others is not reads_all
    assert (before[..., 1] - after[..., 1]).abs().max() > 1e-3
