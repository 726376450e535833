"""Fit any head on folded data: one call from a notebook, a test or a run."""

import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, LambdaCallback, RichProgressBar
from pytorch_lightning.loggers import Logger
from torch import Tensor

from prefillroute.data.activations import ActivationDataModule
from prefillroute.data.folded import FoldedData
from prefillroute.errors import UserError
from prefillroute.heads.contract import ClosedFormHead, GroupBatch, Head
from prefillroute.heads.ensemble import ensemble_logits
from prefillroute.heads.logits import masked_bce
from prefillroute.modules.checkpoint_io import LAST, AtomicCheckpointIO, LastCheckpoint
from prefillroute.modules.ensemble import EnsembleModule
from prefillroute.modules.one_process import OneProcess, first_rank
from prefillroute.modules.settings import FitSettings
from prefillroute.spec import store


@dataclass(frozen=True)
class FittedHead:
    """A trained ensemble. For an independent head, members are kept per target: the arrays gain an axis M.

    `heads`: one head per group (each G = 1) of its kept members. `kept`: member indices (G, K) or (G, K, M),
    best first. `validation_loss`: (G, E) or (G, E, M), each net's best on its group's common validation part.
    `ranking_loss`: the same shape, what the members were ranked by; it differs where `trainer.ranked_on` does.
    `best_epoch`: the same shape, the epoch (from 0) of that loss; -1 for a head without epochs. `seconds`:
    wall time. `num_fits`: separately fitted predictors in all. `work`: trained parameters x training rows x epochs,
    summed over all nets, which is in proportion to the arithmetic of training and the same on every machine; None for
    a head without epochs. `history`: the logged values of each epoch.
    """

    heads: tuple[Head, ...]
    kept: np.ndarray
    validation_loss: np.ndarray
    ranking_loss: np.ndarray
    best_epoch: np.ndarray
    seconds: float
    num_fits: int
    work: int | None = None
    history: tuple[dict[str, float], ...] = ()

    @property
    def final(self) -> Head:
        """The head fitted on all training rows: what predicts test rows and what a bundle ships."""
        return self.heads[0]

    def logits(self, features: Tensor) -> Tensor:
        """z (G, N, M) of features (G, N, D): logit of the clipped mean of the kept members' sigmoids."""
        pairs = zip(self.heads, features, strict=True)
        return torch.cat([ensemble_logits(head, x[None].cpu()) for head, x in pairs])


def fit_head(
    head: Head,
    data: FoldedData,
    settings: FitSettings | None = None,
    *,
    calibration: tuple[Tensor, Tensor] | None = None,
    seed: int = 0,
    logger: Logger | None = None,
    checkpoint_dir: Path | None = None,
    note: Callable[[str], None] | None = None,
) -> FittedHead:
    """Fit all groups and members of `head`.

    Args:
        head: with as many groups as `data` and ``settings.num_members`` members (1 where it is solved in
            closed form).
        data: features, outcomes and row masks.
        settings: training settings; a head solved in closed form ignores them.
        calibration: features (C, D) and outcomes (C, M) of the calibration part, for the only group there is then;
            ``settings.ranked_on`` says whether members are ranked on them.
        seed: of row order and dropout (the head has its own for its initial weights).
        logger: gets the train and validation loss of every epoch.
        checkpoint_dir: folder of ``last.ckpt``. Where that exists already, the fit goes on from it, to the
            bit.
        note: is told the epoch, in words.

    Raises:
        UserError: a checkpoint is of another configuration, or the data lacks an extra that the head reads.
    """
    start = time.perf_counter()
    if isinstance(head, ClosedFormHead):
        head.fit(data.features, data.correct, data.train, data.valid)
        loss = _closed_form_loss(head, data)
        return _fitted(head, loss, torch.full_like(loss, -1), 1, start)
    settings = settings or FitSettings()
    assert head.num_members == settings.num_members, (head.num_members, settings.num_members)
    assert head.num_groups == data.num_groups, (head.num_groups, data.num_groups)
    if missing := set(head.reads_extras) - data.extras.keys():
        raise UserError(
            f"data.extras: expected {', '.join(sorted(missing))}, which {type(head).__name__} reads, found "
            f"{', '.join(data.extras) or 'none'}"
        )
    spec, _ = store(head)
    fingerprint = {
        "head": {part: spec[part] for part in ("class", "arguments")},
        "trainer": {k: v for k, v in asdict(settings).items() if k in _CHANGES_NUMBERS},
        "seed": seed,
        "data": data.fingerprint(),
    }
    module = EnsembleModule(
        head,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        patience=settings.patience,
        min_delta=settings.min_delta,
        monitor=settings.monitor,
        optimizer=settings.optimizer,
        seed=seed,
        fingerprint=fingerprint,
    )
    last = checkpoint_dir / LAST if checkpoint_dir else None
    with _quiet_lightning(), first_rank():
        trainer = _trainer(settings, logger, checkpoint_dir, note)
        trainer.fit(
            module,
            datamodule=ActivationDataModule(data, settings.batch_size, seed),
            ckpt_path=last if last is not None and last.exists() else None,
            weights_only=True,
        )
    module.restore_best().cpu()
    loss = torch.stack([progress.best_loss for progress in module.progress])
    epoch = torch.stack([progress.best_epoch for progress in module.progress])
    ranking = None
    if settings.ranked_on == "calibration" and calibration is not None:
        assert head.num_groups == 1, "with a calibration part there are no folds"
        with torch.no_grad():
            everyone = torch.arange(loss.shape[1])
            batch = GroupBatch(*calibration, {}, data.threshold)
            ranking = module.eval().scores(0, everyone, batch)[None].double().cpu()
    return _fitted(
        head, loss, epoch, settings.num_kept, start, _work(module, data), tuple(module.history), ranking
    )


_CHANGES_NUMBERS = (
    "monitor", "patience", "min_delta", "batch_size", "optimizer", "learning_rate", "weight_decay",
)  # fmt: skip


def _trainer(
    settings: FitSettings,
    logger: Logger | None,
    checkpoint_dir: Path | None,
    note: Callable[[str], None] | None,
) -> pl.Trainer:
    callbacks: list[Callback] = []
    if note is not None:
        callbacks.append(LambdaCallback(on_train_epoch_end=_noted(note)))
    if checkpoint_dir is not None:
        callbacks.append(LastCheckpoint(checkpoint_dir / LAST, settings.checkpoint_every))
    progress_bar = settings.progress_bar and sys.stderr.isatty()
    if progress_bar:
        callbacks.append(RichProgressBar(leave=False))
    return pl.Trainer(
        accelerator=_accelerator(settings.accelerator),
        devices=1,
        max_epochs=settings.max_epochs,
        logger=logger if logger is not None else False,
        callbacks=callbacks,
        plugins=[AtomicCheckpointIO(), OneProcess()],
        default_root_dir=checkpoint_dir,
        enable_checkpointing=checkpoint_dir is not None,
        enable_progress_bar=progress_bar,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
    )


def _noted(note: Callable[[str], None]) -> Callable[[pl.Trainer, pl.LightningModule], None]:
    def say_epoch(trainer: pl.Trainer, module: pl.LightningModule) -> None:
        note(f"epoch {trainer.current_epoch + 1} of at most {trainer.max_epochs}")

    return say_epoch


def _accelerator(setting: str) -> str:
    """Return Lightning's name for the accelerator. `auto` never means Apple's MPS, on which nothing has been tried."""
    if setting == "gpu" and not torch.cuda.is_available():
        raise UserError("trainer.accelerator=gpu: expected a CUDA device, found none; use cpu or auto")
    if setting == "auto":
        return "gpu" if torch.cuda.is_available() else "cpu"
    return setting


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Lightning's notes on accelerators and stopping are not the user's concern; its warnings are."""
    logger = logging.getLogger("pytorch_lightning")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            # Lightning 2.6 on torch 2.13 uses what torch has deprecated; nothing a user can change.
            warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
            # Every login node has it. The trainer asks for SLURM even where it was told its environment.
            warnings.filterwarnings("ignore", message="The `srun` command is available")
            yield
    finally:
        logger.setLevel(level)


def _fitted(
    head: Head,
    loss: Tensor,
    epoch: Tensor,
    num_kept: int,
    start: float,
    work: int | None = None,
    history: tuple[dict[str, float], ...] = (),
    ranking: Tensor | None = None,
) -> FittedHead:
    """Rank the nets and cut out the kept ones; `loss`, `epoch` and `ranking` (None: the loss) are (G, S)."""
    shape = (head.num_groups, head.num_members) + (() if head.joint else (head.num_targets,))
    epoch = epoch.reshape(shape)
    losses, rank = (tensor.reshape(shape).numpy() for tensor in (loss, loss if ranking is None else ranking))
    # Of equals on the rows that rank, say where a target has one class there, the better on the validation part.
    order = np.lexsort([np.nan_to_num(values, nan=np.inf) for values in (losses, rank)], axis=1)
    kept = order[:, :num_kept]
    heads = tuple(head.select(group, kept[group]).eval() for group in range(head.num_groups))
    seconds = time.perf_counter() - start
    epochs = epoch.numpy().astype(np.int64)
    return FittedHead(heads, kept, losses, rank, epochs, seconds, head.num_fits, work, history)


def _work(module: EnsembleModule, data: FoldedData) -> int:
    """Trained parameters x training rows x epochs, summed over the nets of all groups."""
    work = 0
    for group, progress in enumerate(module.progress):
        stack = module.head.stack(group)
        trained = sum(each.numel() for each in stack.parameters() if each.requires_grad)
        # A net has waited since its best epoch; one that never improved has waited all the time.
        epochs = progress.best_epoch + 1 + progress.waited
        work += trained // stack.num_nets * int(data.train[group].sum()) * int(epochs.sum())
    return work


def _closed_form_loss(head: Head, data: FoldedData) -> Tensor:
    """Validation loss (G, E) of a solved head."""
    losses = []
    for group in range(head.num_groups):
        valid = data.valid[group]
        total, count = masked_bce(head.group_logits(group, data.features[group, valid]), data.correct[valid])
        losses.append(total / count.clamp(min=1))
    return torch.stack(losses).double()
