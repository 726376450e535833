"""All members of all groups trained in one pass, as a LightningModule (DESIGN section 7).

Each net has its own minibatch loss, early stopping and best state; what they share is the work: members of a
group see the same rows, so their first layers are one matrix product, and one fused Adam step serves every
net. A net that has stopped is cut out of the stacked tensors and costs nothing from then on. Nothing passes
between groups: order, dropout and stopping of a group depend on its own rows only.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import Logger
from torch import Tensor

from prefillroute.data.activations import FoldedBatch
from prefillroute.errors import UserError
from prefillroute.heads.contract import GroupBatch, Head
from prefillroute.modules.monitor import MONITORS
from prefillroute.modules.progress import GroupProgress
from prefillroute.seeds import seeded_generator

VALID_ROWS_AT_ONCE = 1024
OPTIMIZERS: dict[str, type[torch.optim.Adam | torch.optim.AdamW]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}


class EnsembleModule(pl.LightningModule):
    """Trains `head` in place; `restore_best` puts every net into its best state at the end.

    Args:
        head: the nets, as initialised.
        learning_rate, weight_decay: of the optimizer.
        patience, min_delta: early stopping of each net on its group's validation part.
        monitor: what it is stopped by there, one of `MONITORS`.
        optimizer: one of `OPTIMIZERS`; weight decay is an L2 term of the loss for adam, and apart from it for adamw.
        seed: of dropout.
        fingerprint: plain values that a checkpoint must share to be resumed, for instance the data's hash.
    """

    def __init__(
        self,
        head: Head,
        learning_rate: float,
        weight_decay: float,
        patience: int,
        min_delta: float,
        monitor: str = "loss",
        optimizer: str = "adam",
        seed: int = 0,
        fingerprint: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(ignore=["head", "fingerprint"])
        self.automatic_optimization = False
        self.head = head
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.monitor = monitor
        self.optimizer = optimizer
        self.seed = seed
        self.fingerprint = dict(fingerprint or {})
        groups = range(head.num_groups)
        self.progress = [GroupProgress(head.stack(g), patience, min_delta) for g in groups]
        self.history: list[dict[str, float]] = []
        self.generators: list[torch.Generator] = []
        self.train_loss = [torch.zeros(0)] * head.num_groups  # per group, summed over the epoch's steps, (S,)
        self.train_steps = [0] * head.num_groups
        self.valid_loss: list[Tensor | None] = [None] * head.num_groups

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam or AdamW in one fused kernel over all stacks."""
        return OPTIMIZERS[self.optimizer](
            self.head.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay, fused=True
        )

    def on_fit_start(self) -> None:
        """Remembered states follow the nets to their device; loggers get the epochs before a resume again."""
        for progress in self.progress:
            progress.best_state = {key: value.to(self.device) for key, value in progress.best_state.items()}
        # Lightning's CSV logger starts its file anew, and another may have lost its last rows when the job was killed.
        send_epochs(self.history, self.trainer.loggers)

    def on_train_epoch_start(self) -> None:
        """Dropout starts each epoch from (seed, group, epoch), so that a resumed run draws the same."""
        self.generators = [
            seeded_generator(self.seed, "dropout", group, self.current_epoch, device=self.device)
            for group in range(self.head.num_groups)
        ]
        self.train_steps = [0] * self.head.num_groups

    def training_step(self, batch: FoldedBatch, batch_idx: int) -> None:
        """One Adam step of every active net whose group has a batch."""
        optimizer = self.optimizers()
        assert not isinstance(optimizer, list)
        for group in range(self.head.num_groups):
            if not len(self.progress[group].active) or (part := batch.group(group)) is None:
                continue
            outputs = self.head.stack(group)(part.features, self.generators[group])
            nets = self.progress[group].active
            loss = self.head.training_loss(outputs, part, nets)  # (S,)
            self.manual_backward(loss.sum())  # nets share no parameter, so each gets its own gradient
            before = self.train_loss[group] if self.train_steps[group] else 0.0
            self.train_loss[group] = before + loss.detach()
            self.train_steps[group] += 1
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    def validation_step(self, batch: FoldedBatch, batch_idx: int) -> None:
        """Score of every active net on the whole validation part of its group, without dropout."""
        for group in range(self.head.num_groups):
            self.valid_loss[group] = None
            if not len(self.progress[group].active) or (part := batch.group(group)) is None:
                continue
            self.valid_loss[group] = self.scores(group, self.progress[group].active, part)

    def scores(self, group: int, nets: Tensor, batch: GroupBatch) -> Tensor:
        """What `monitor` says (S,) of the nets (S,) in a group's stack, on the rows of `batch`."""
        parts = [self.head.stack(group)(rows) for rows in batch.features.split(VALID_ROWS_AT_ONCE)]
        logits = torch.cat(parts, dim=1)[..., : self.head.num_outputs]
        own = self.head.own_targets(batch.correct, nets)
        return MONITORS[self.monitor](logits, own, batch.threshold)

    def on_train_epoch_end(self) -> None:
        """Early stopping, net by net; log; end the fit when no net is left."""
        for group, losses in enumerate(self.valid_loss):
            if losses is None:
                continue
            going = self.progress[group].update(self.head.stack(group), losses, self.current_epoch)
            if going is not None:
                self._keep_nets(group, going)
        self._log_epoch()
        if not any(len(progress.active) for progress in self.progress):
            self.trainer.should_stop = True

    def restore_best(self) -> Head:
        """The head with all nets back, each in its best state."""
        for group, progress in enumerate(self.progress):
            for key, tensor in self.head.stack(group).state_dict(keep_vars=True).items():
                tensor.grad = None
                tensor.data = progress.best_state[key].to(tensor.device)
        return self.head

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Early stopping and best states go along."""
        checkpoint["fingerprint"] = self.fingerprint
        checkpoint["history"] = self.history
        checkpoint["progress"] = [progress.state_dict() for progress in self.progress]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Shrink the stacks to the nets that were still training, then Lightning loads them.

        Raises:
            UserError: the checkpoint is of another configuration.
        """
        found = checkpoint.get("fingerprint", {})
        for key, expected in self.fingerprint.items():
            if found.get(key) != expected:
                raise UserError(
                    f"checkpoint of another run: {key}: expected {expected!r}, found {found.get(key)!r}; "
                    "delete it to start over"
                )
        self.history = checkpoint["history"]
        for group, (progress, state) in enumerate(zip(self.progress, checkpoint["progress"], strict=True)):
            progress.load_state_dict(state)
            self.head.stack(group).keep_nets(progress.active)

    def _keep_nets(self, group: int, positions: Tensor) -> None:
        """Cut stopped nets out of the parameters and out of Adam's moments."""
        stack = self.head.stack(group)
        optimizer = self.optimizers()
        assert not isinstance(optimizer, list)
        for parameter in stack.parameters():
            state = optimizer.state.get(parameter, {})
            for key in ("exp_avg", "exp_avg_sq"):
                if key in state:
                    state[key] = state[key].index_select(0, positions.to(state[key].device))
        stack.keep_nets(positions)

    def _log_epoch(self) -> None:
        """Mean losses over nets, in all and per group; a net that has stopped counts with its best."""
        means = [float(progress.last_loss.mean()) for progress in self.progress]
        values = {
            "val/loss": sum(means) / len(means),
            "val/best_loss": float(torch.cat([progress.best_loss for progress in self.progress]).mean()),
            "nets/active": float(sum(len(progress.active) for progress in self.progress)),
        }
        values |= {f"val/loss_group{group}": mean for group, mean in enumerate(means)}
        trained = [float((s / n).mean()) for s, n in zip(self.train_loss, self.train_steps, strict=True) if n]
        if trained:
            values["train/loss"] = sum(trained) / len(trained)
        row = {"epoch": float(self.current_epoch), "step": float(self.global_step)} | values
        self.history.append(row)
        send_epochs([row], self.trainer.loggers)
        self.log("val/loss", values["val/loss"], prog_bar=True, logger=False)


def send_epochs(rows: Sequence[Mapping[str, float]], loggers: Sequence[Logger]) -> None:
    """Give epochs to loggers. Lightning's own `log_dict` would cost more than a small epoch.

    Args:
        rows: the values of each epoch, as in `FittedHead.history`.
        loggers: Lightning loggers.
    """
    for row in rows:
        for logger in loggers:
            logger.log_metrics({k: v for k, v in row.items() if k != "step"}, step=int(row["step"]))
            logger.save()
