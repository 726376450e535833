"""Checkpoints that are either the old one or the new one, never half of one."""

import logging
import pickle
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint
from pytorch_lightning.plugins.io import TorchCheckpointIO

from prefillroute.errors import UserError
from prefillroute.files import replacing

log = logging.getLogger(__name__)

LAST = "last.ckpt"
LONGEST_PAUSE_S = 30.0


class LastCheckpoint(Checkpoint):
    """Keeps the state after a late epoch: the last one, but for those that follow a save too closely.

    Saving takes at most a twentieth of the time, so that fast epochs are not slowed down by it; what a stop costs is
    twenty times the time of a save, and half a minute at most.

    Lightning's own callback writes no last checkpoint where it keeps no best ones (`save_top_k=0`), and says nothing.
    As a `Checkpoint`, it is called after the module's own end of the epoch.

    Args:
        path: the file.
        every: epochs between two checkpoints.
    """

    def __init__(self, path: Path, every: int) -> None:
        self.path, self.every = path, every
        self._next = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Say so where training goes on."""
        if trainer.current_epoch:
            log.info("training goes on after epoch %d", trainer.current_epoch)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save."""
        began = time.monotonic()
        if (trainer.current_epoch + 1) % self.every == 0 and began >= self._next:
            trainer.save_checkpoint(self.path)
            ended = time.monotonic()
            self._next = ended + min(20 * (ended - began), LONGEST_PAUSE_S)


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the final name, then renames: a killed or out-of-space save leaves the last one."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Save `checkpoint` under `path`.

        Raises:
            UserError: it cannot be written, for instance because the disk is full.
        """
        final = Path(path)
        try:
            with replacing(final) as partial, partial.open("wb") as file:
                torch.save(checkpoint, file)
        except (OSError, RuntimeError) as error:
            # torch wraps what the file said (no space, too large) in an internal "unexpected pos"
            said = error.__context__ if isinstance(error.__context__, OSError) else error
            reason = getattr(said, "strerror", None) or str(said).splitlines()[0]
            raise UserError(f"{final}: the checkpoint cannot be written ({reason})") from None

    def load_checkpoint(self, path: str | Path, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Load the checkpoint at `path`.

        Raises:
            UserError: the file is damaged or no checkpoint.
        """
        try:
            return super().load_checkpoint(path, *args, **kwargs)
        except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
            reason = str(error).splitlines()[0]
            message = f"{path}: not a checkpoint that can be read ({reason}); delete it to start over"
            raise UserError(message) from None
