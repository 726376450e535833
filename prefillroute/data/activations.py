"""Minibatches of all groups for the batched training pass."""

from collections.abc import Callable, Iterator
from typing import Self

import pytorch_lightning as pl
import torch
from torch import Tensor

from prefillroute.data.folded import FoldedData
from prefillroute.errors import UserError
from prefillroute.heads.contract import GroupBatch
from prefillroute.seeds import seeded_generator


class FoldedBatch:
    """One step's rows of each group, gathered only on request, so that a stopped group costs nothing."""

    def __init__(self, data: FoldedData, rows: tuple[Tensor | None, ...]) -> None:
        self.data = data
        self.rows = rows

    def group(self, group: int) -> GroupBatch | None:
        """Gather the rows of a group; None where it has no batch in this step."""
        rows = self.rows[group]
        if rows is None:
            return None
        return GroupBatch(
            self.data.features[group].index_select(0, rows),
            self.data.correct.index_select(0, rows),
            {name: values.index_select(0, rows) for name, values in self.data.extras.items()},
            self.data.threshold,
        )

    def to(self, device: torch.device) -> Self:
        """Return self: the data module has already moved the data to the nets' device."""
        return self


class TrainLoader:
    """Yields every training row of every group once per epoch, in an order drawn from (seed, group, epoch).

    A group with n rows takes ceil(n / batch_size) steps of nearly equal size, whatever the other groups do. The order
    depends on the epoch number alone, so a resumed run sees the same batches as an uninterrupted one.
    """

    def __init__(self, data: FoldedData, batch_size: int, seed: int, epoch: Callable[[], int]) -> None:
        self.data = data
        self.seed = seed
        self.epoch = epoch
        self.rows = [part.nonzero().squeeze(1) for part in data.train]
        self.steps = [-(-len(rows) // batch_size) for rows in self.rows]

    def __len__(self) -> int:
        return max(self.steps)

    def __iter__(self) -> Iterator[FoldedBatch]:
        parts: list[tuple[Tensor, ...]] = []
        for group, (rows, steps) in enumerate(zip(self.rows, self.steps, strict=True)):
            generator = seeded_generator(self.seed, "order", group, self.epoch())
            order = torch.randperm(len(rows), generator=generator).to(rows.device)
            parts.append(rows[order].tensor_split(steps))
        for step in range(len(self)):
            yield FoldedBatch(self.data, tuple(p[step] if step < len(p) else None for p in parts))


class ValidLoader:
    """Yields one batch: the whole validation part of every group."""

    def __init__(self, data: FoldedData) -> None:
        self.batch = FoldedBatch(data, tuple(part.nonzero().squeeze(1) for part in data.valid))

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[FoldedBatch]:
        yield self.batch


class ActivationDataModule(pl.LightningDataModule):
    """Feeds `EnsembleModule`. The data is moved to the trainer's device once, not batch by batch.

    Args:
        data: features, outcomes and masks of all groups.
        batch_size: rows per step and group, at most.
        seed: seed of the row order.

    Raises:
        UserError: the batch size is below 1.
    """

    def __init__(self, data: FoldedData, batch_size: int = 512, seed: int = 0) -> None:
        super().__init__()
        if batch_size < 1:
            raise UserError(f"trainer.batch_size: expected at least 1, found {batch_size}")
        self.data = data
        self.batch_size = batch_size
        self.seed = seed

    def setup(self, stage: str) -> None:
        """Move the data to the nets' device."""
        if self.trainer is not None:
            self.data = self.data.to(self.trainer.strategy.root_device)

    def train_dataloader(self) -> TrainLoader:
        """Return all groups' minibatches of one epoch."""
        trainer = self.trainer
        return TrainLoader(
            self.data, self.batch_size, self.seed, lambda: trainer.current_epoch if trainer else 0
        )

    def val_dataloader(self) -> ValidLoader:
        """Return all groups' validation parts as one batch."""
        return ValidLoader(self.data)
