"""How heads are trained: the values of ``conf/trainer/*.yaml``."""

from dataclasses import dataclass

from prefillroute.errors import UserError

MONITORED = ("loss", "auc")
ACCELERATORS = ("auto", "cpu", "gpu")


@dataclass(frozen=True)
class FitSettings:
    """Defaults are those of `trainer=default`.

    Raises:
        UserError: a value out of range, by its key.
    """

    num_members: int = 10
    """Nets per group, from different seeds."""
    num_kept: int = 5
    """The best of them, by `monitor` on the group's common validation part, whose mean is the prediction."""
    monitor: str = "loss"
    """What nets are stopped and ranked by on the validation part: their loss, or their mean AUC over targets."""
    max_epochs: int = 150
    patience: int = 15
    """Epochs without an improvement of at least `min_delta` after which a net stops."""
    min_delta: float = 1e-4
    batch_size: int = 512
    learning_rate: float = 3e-4
    weight_decay: float = 1e-3
    accelerator: str = "auto"
    """auto, cpu or gpu; auto takes a CUDA GPU where there is one."""
    progress_bar: bool = True
    """Shown on a terminal only."""
    checkpoint_every: int = 1
    """Epochs between checkpoints; a killed job repeats at most that many."""

    def __post_init__(self) -> None:
        for key in ("num_members", "num_kept", "max_epochs", "patience", "batch_size", "checkpoint_every"):
            if getattr(self, key) < 1:
                raise UserError(f"trainer.{key} is {getattr(self, key)}, want at least 1")
        if self.num_kept > self.num_members:
            raise UserError(
                f"trainer.num_kept is {self.num_kept}, want at most trainer.num_members = {self.num_members}"
            )
        if not self.learning_rate > 0:
            raise UserError(f"trainer.learning_rate is {self.learning_rate}, want above 0")
        if self.monitor not in MONITORED:
            raise UserError(f"trainer.monitor is {self.monitor!r}, want one of {', '.join(MONITORED)}")
        if self.accelerator not in ACCELERATORS:
            wanted = ", ".join(ACCELERATORS)
            raise UserError(f"trainer.accelerator is {self.accelerator!r}, want one of {wanted}")
        for key in ("weight_decay", "min_delta"):
            if not getattr(self, key) >= 0:
                raise UserError(f"trainer.{key} is {getattr(self, key)}, want 0 or more")
