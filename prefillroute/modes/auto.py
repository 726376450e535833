"""The best encoder for each target, by cross-validation."""

from collections.abc import Sequence

from prefillroute.errors import UserError
from prefillroute.layers.choice import LayerChoice
from prefillroute.layers.contract import LayerChooser, ProbeTask
from prefillroute.layers.table import ProbeTable
from prefillroute.modes.contract import Mode, Score, several


class Auto(Mode):
    """Every target takes its best block over the layers of all encoders; of equal blocks the earlier encoder's.

    The strategy's limit of blocks holds for all encoders together, and an encoder may be left without a block.

    Example:
        >>> Auto(["qwen35_35b", "gpt_oss_20b"]).encoders
        ('qwen35_35b', 'gpt_oss_20b')
    """

    def __init__(self, encoders: Sequence[str]) -> None:
        """`encoders` are at least two distinct names.

        Raises:
            UserError: they are not.
        """
        self.encoders = several(encoders, "auto")

    def choose(self, chooser: LayerChooser, score: Score, task: ProbeTask) -> LayerChoice:
        """Score each encoder once, join the scores and select from all of them.

        Raises:
            UserError: the strategy does not rate blocks for each target, or no block can be selected.
        """
        if chooser.rated_by is None:
            raise UserError(
                f"mode=auto: expected a layer choice that rates the layers for each target, such as layers=cv_probe, "
                f"found {type(chooser).__name__}; mode=fusion takes any"
            )
        return chooser.select(ProbeTable.join([score(encoder, task) for encoder in self.encoders]))
