"""How heads are trained: the values of ``conf/trainer/*.yaml``."""

from dataclasses import dataclass

from prefillroute.errors import UserError

MONITORED = ("loss", "auc")
OPTIMIZERS = ("adam", "adamw")
RANKED_ON = ("validation", "calibration")
ACCELERATORS = ("auto", "cpu", "gpu")


@dataclass(frozen=True)
class FitSettings:
    """The defaults are those of `trainer=default`.

    Raises:
        UserError: a value is out of range; the message names its key.

    Example:
        >>> FitSettings(num_members=4, num_kept=2).patience
        15
    """

    num_members: int = 10
    """Nets per group, from different seeds."""
    num_kept: int = 5
    """The best of them, by `monitor` on the rows of `ranked_on`, whose mean is the prediction."""
    ranked_on: str = "validation"
    """validation, the group's common validation part; or calibration, the split's calibration part where it has one.
    The calibrator and lambda are fitted on that part too, so what is measured on it is a little too good."""
    monitor: str = "loss"
    """What nets are stopped by on the validation part, and ranked by: their loss, or their mean AUC over targets."""
    max_epochs: int = 150
    patience: int = 15
    """Epochs without an improvement of at least `min_delta` after which a net stops."""
    min_delta: float = 1e-4
    batch_size: int = 512
    optimizer: str = "adam"
    """adam, whose weight decay is an L2 term of the loss; or adamw, which decays weights by themselves."""
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
                raise UserError(f"trainer.{key}: expected at least 1, found {getattr(self, key)}")
        if self.num_kept > self.num_members:
            raise UserError(
                f"trainer.num_kept: expected at most trainer.num_members = {self.num_members}, found {self.num_kept}"
            )
        if not self.learning_rate > 0:
            raise UserError(f"trainer.learning_rate: expected more than 0, found {self.learning_rate}")
        choices = {
            "monitor": MONITORED,
            "optimizer": OPTIMIZERS,
            "ranked_on": RANKED_ON,
            "accelerator": ACCELERATORS,
        }
        for key, allowed in choices.items():
            if getattr(self, key) not in allowed:
                raise UserError(
                    f"trainer.{key}: expected one of {', '.join(allowed)}, found {getattr(self, key)!r}"
                )
        for key in ("weight_decay", "min_delta"):
            if not getattr(self, key) >= 0:
                raise UserError(f"trainer.{key}: expected 0 or more, found {getattr(self, key)}")
