"""What training promises of every head that has weights to train, on every kind of features that it accepts."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from prefillroute.data.folded import FoldedData
from prefillroute.heads.contract import Head
from prefillroute.modules.fit import FittedHead, fit_head
from prefillroute.modules.settings import FitSettings
from tests.every_head import LAYOUTS, NEURAL, E, G, chosen, data_of, make, pairs

SETTINGS = FitSettings(
    num_members=E, num_kept=2, max_epochs=3, batch_size=32, learning_rate=0.02, accelerator="cpu"
)


def cases() -> list[Any]:
    """Every neural head on everything that it accepts, and with a judge's labels where it can learn these."""
    judged = {"difficulty_labels": "judge"}
    found = []
    for option, kind in pairs(NEURAL):
        found.append(pytest.param(option, kind, {}, id=f"{option}-{kind}"))
        if judged.keys() & chosen(option).keys() and kind == "numbers":
            found.append(pytest.param(option, kind, judged, id=f"{option}-judge"))
    return found


every_case = pytest.mark.parametrize(("option", "kind", "hyper"), cases())


def built(option: str, kind: str, hyper: dict[str, Any], dropout: bool = True, **sizes: int) -> Head:
    values = dict(hyper)
    for key, value in chosen(option).items():
        if "dropout" in key and not dropout:
            values[key] = [0.0] * len(value) if isinstance(value, list) else 0.0
    return make(option, LAYOUTS[kind], **sizes, **values)


def fit(head: Head, data: FoldedData, checkpoint_dir: Path | None = None, **changes: Any) -> FittedHead:
    settings = replace(SETTINGS, **({"num_members": head.num_members} | changes))
    return fit_head(head, data, settings, seed=7, checkpoint_dir=checkpoint_dir)


def state_of(fitted: FittedHead, group: int) -> dict[str, Tensor]:
    return fitted.heads[group].state_dict()


def equal_states(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    assert one.keys() == other.keys()
    return all(torch.equal(value, other[key]) for key, value in one.items())


@every_case
def test_resume_is_exact(option, kind, hyper, tmp_path):
    data = data_of(kind)
    whole = fit(built(option, kind, hyper), data)
    fit(built(option, kind, hyper), data, tmp_path, max_epochs=1)
    assert (tmp_path / "last.ckpt").exists()
    resumed = fit(built(option, kind, hyper), data, tmp_path)
    assert (resumed.validation_loss == whole.validation_loss).all()
    assert (resumed.best_epoch == whole.best_epoch).all()
    assert whole.best_epoch.max() > 0  # the resumed epochs mattered
    for group in range(G):
        assert equal_states(state_of(resumed, group), state_of(whole, group))


@every_case
def test_a_group_learns_nothing_from_rows_outside_it(option, kind, hyper):
    """Another row's features (which any head can read), other outcomes, another difficulty: all bits stay."""
    data = data_of(kind)
    row = int((~data.train[1] & ~data.valid[1] & data.train[0]).nonzero()[0])
    features, correct, difficulty = (
        data.features.clone(),
        data.correct.clone(),
        data.extras["difficulty"].clone(),
    )
    features[:, row] = features[:, row - 1]
    correct[row] = 1 - correct[row].nan_to_num(0.0)
    difficulty[row] = 0.123
    changed = replace(data, features=features, correct=correct, extras={"difficulty": difficulty})
    before, after = fit(built(option, kind, hyper), data), fit(built(option, kind, hyper), changed)
    assert equal_states(state_of(before, 1), state_of(after, 1))
    assert not equal_states(state_of(before, 0), state_of(after, 0))  # group 0 trains on that row


@every_case
def test_a_member_trains_as_if_alone(option, kind, hyper):
    """Without dropout, whose stream the members of a group share."""
    data, member = data_of(kind), E - 1
    together = fit(built(option, kind, hyper, dropout=False), data, num_kept=E)
    initial = built(option, kind, hyper, dropout=False)
    lone = built(option, kind, hyper, dropout=False, members=1)
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


@every_case
def test_nets_are_seeded_by_their_place(option, kind, hyper):
    """Adding groups changes no other logit, and no two members start alike."""
    head, data = built(option, kind, hyper).eval(), data_of(kind)
    with torch.no_grad():
        logits = head(data.features)
        fewer = built(option, kind, hyper, groups=1).eval()(data.features[:1])
    assert not torch.allclose(logits[1, 0], logits[1, 2])
    torch.testing.assert_close(fewer, logits[:1])
