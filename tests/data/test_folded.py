"""Folded data and its minibatches."""

from typing import Any

import pytest
import torch

from prefillroute.data.activations import ActivationDataModule, FoldedBatch, TrainLoader
from prefillroute.data.folded import FoldedData
from prefillroute.errors import UserError

G, N, D, M = 3, 50, 4, 2


def make(**changes: Any) -> FoldedData:
    rng = torch.Generator().manual_seed(0)
    held = torch.stack([torch.zeros(N, dtype=torch.bool), torch.arange(N) % 2 == 0, torch.arange(N) % 2 == 1])
    valid = (torch.arange(N) % 5 == 0) & ~held
    parts = {
        "features": torch.randn(G, N, D, generator=rng),
        "correct": (torch.rand(N, M, generator=rng) < 0.5).float(),
        "train": ~held & ~valid,
        "valid": valid,
    }
    return FoldedData(**(parts | changes))


def rows_of_epoch(loader: TrainLoader, group: int) -> list[torch.Tensor]:
    return [batch.rows[group] for batch in loader if batch.rows[group] is not None]


def test_every_training_row_once_per_epoch_in_even_batches():
    data = make()
    loader = TrainLoader(data, batch_size=12, seed=0, epoch=lambda: 0)
    assert len(loader) == 4  # 40 rows of group 0 in four steps; 20 rows of a fold in two
    assert len(list(loader)) == 4
    for group in range(G):
        batches = rows_of_epoch(loader, group)
        sizes = [len(rows) for rows in batches]
        assert len(sizes) == -(-int(data.train[group].sum()) // 12)
        assert max(sizes) <= 12
        assert max(sizes) - min(sizes) <= 1
        assert torch.equal(torch.cat(batches).sort().values, data.train[group].nonzero().squeeze(1))


def test_order_depends_on_seed_group_and_epoch_only():
    data = make()
    epoch = 0
    loader = TrainLoader(data, 12, 0, lambda: epoch)
    first = torch.cat(rows_of_epoch(loader, 1))
    assert torch.equal(first, torch.cat(rows_of_epoch(loader, 1)))
    epoch = 1
    assert not torch.equal(first, torch.cat(rows_of_epoch(loader, 1)))
    assert not torch.equal(first, torch.cat(rows_of_epoch(TrainLoader(data, 12, 1, lambda: 0), 1)))
    fewer = data.train.clone()
    fewer[0, :30] = False  # another group's rows
    assert torch.equal(first, torch.cat(rows_of_epoch(TrainLoader(make(train=fewer), 12, 0, lambda: 0), 1)))


def test_batches_carry_their_groups_own_features():
    data = make(extras={"difficulty": torch.arange(N) / N}, threshold=0.7)
    batch = FoldedBatch(data, (torch.tensor([3, 1]), None, torch.tensor([2])))
    part = batch.group(0)
    assert torch.equal(part.features, data.features[0, [3, 1]])
    assert torch.equal(part.correct, data.correct[[3, 1]])
    assert torch.equal(part.extras["difficulty"], torch.tensor([3.0, 1.0]) / N)
    assert part.threshold == 0.7
    assert batch.group(1) is None
    assert torch.equal(batch.group(2)[0], data.features[2, [2]])


def test_validation_is_the_whole_part_of_each_group():
    data = make()
    (batch,) = ActivationDataModule(data).val_dataloader()
    for group in range(G):
        assert torch.equal(batch.rows[group], data.valid[group].nonzero().squeeze(1))


def test_bad_data_is_one_line():
    data = make()
    broken = data.features.clone()
    broken[1, 7, 2] = torch.nan
    with pytest.raises(UserError, match="feature 2 of row 7 in group 1: expected a finite number, found nan"):
        make(features=broken)
    with pytest.raises(UserError, match=r"no row in both .* found some in group 0"):
        make(train=torch.ones(G, N, dtype=torch.bool))
    with pytest.raises(UserError, match="at least one row in the validation part of group 0, found none"):
        make(valid=torch.zeros(G, N, dtype=torch.bool))
    with pytest.raises(UserError, match="at least one row in the training part of group 2, found none"):
        make(train=data.train & torch.tensor([True, True, False])[:, None])
    with pytest.raises(UserError, match=r"data\.valid: expected shape \(3, 50\), found \(3, 49\)"):
        make(valid=data.valid[:, :49])
    with pytest.raises(UserError, match=r"data\.extras\.difficulty: expected shape \(50,\), found \(49,\)"):
        make(extras={"difficulty": torch.zeros(N - 1)})
    with pytest.raises(UserError, match="batch_size: expected at least 1, found 0"):
        ActivationDataModule(data, batch_size=0)


def test_fingerprint_follows_all_but_the_features():
    data = make()
    assert make(features=data.features + 1e-7).fingerprint() == data.fingerprint()
    correct = data.correct.clone()
    correct[0, 0] = 1 - correct[0, 0]
    assert make(correct=correct).fingerprint() != data.fingerprint()
    assert make(threshold=0.7).fingerprint() != data.fingerprint()
    judged = make(extras={"difficulty": torch.zeros(N)})
    assert judged.fingerprint() != data.fingerprint()
    assert make(extras={"novelty": torch.zeros(N)}).fingerprint() != judged.fingerprint()
    assert make(extras={"difficulty": torch.ones(N)}).fingerprint() != judged.fingerprint()
