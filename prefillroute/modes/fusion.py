"""The blocks of several encoders for every target (not in the paper)."""

from collections.abc import Sequence

from prefillroute.layers.choice import LayerChoice
from prefillroute.layers.contract import LayerChooser, ProbeTask
from prefillroute.layers.table import ProbeTable
from prefillroute.modes.contract import Mode, Score, select_own, several


class Fusion(Mode):
    """Each encoder's own choice, as in mode `single`, side by side; the strategy's limit of blocks holds for each.

    Example:
        >>> Fusion(["qwen35_35b", "gpt_oss_20b"]).encoders
        ('qwen35_35b', 'gpt_oss_20b')
    """

    def __init__(self, encoders: Sequence[str]) -> None:
        """`encoders` are at least two distinct names.

        Raises:
            UserError: they are not.
        """
        self.encoders = several(encoders, "fusion")

    def choose(self, chooser: LayerChooser, score: Score, task: ProbeTask) -> LayerChoice:
        """Select from each encoder's scores, then find each target's best block of all that were selected.

        Raises:
            UserError: no block of an encoder can be selected.
        """
        tables = [score(encoder, task) for encoder in self.encoders]
        blocks = [block for table in tables for block in select_own(chooser, table).blocks]
        return chooser.serve(ProbeTable.join(tables), blocks)
