"""What every mode does: it says which encoders are read, and chooses blocks of their layers for the targets."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from prefillroute.errors import UserError
from prefillroute.layers.choice import LayerChoice
from prefillroute.layers.contract import LayerChooser, ProbeTask
from prefillroute.layers.table import ProbeTable
from prefillroute.spec import Stored
from prefillroute.text.hints import listed

Score = Callable[[str, ProbeTask], ProbeTable]
"""Scores the layers of the encoder named, or remembers their scores."""


class Mode(Stored, ABC):
    """Decides which encoder serves which target."""

    encoders: tuple[str, ...]
    """Distinct names of the encoders that are read, in order. The first one's tokenizer counts tokens for costs."""

    @abstractmethod
    def choose(self, chooser: LayerChooser, score: Score, task: ProbeTask) -> LayerChoice:
        """Choose the blocks that become features.

        Args:
            chooser: the layer strategy.
            score: gives the scores of an encoder's layers by that strategy; it is called at most once for each encoder.
            task: labels, folds and targets.

        Raises:
            UserError: the mode does not fit the targets or the strategy, or no block can be chosen.
        """


def select_own(chooser: LayerChooser, table: ProbeTable) -> LayerChoice:
    """Select from the scores of one of several encoders.

    Raises:
        UserError: as `chooser.select`, naming the encoder and the targets.
    """
    try:
        return chooser.select(table)
    except UserError as error:
        raise UserError(
            f"encoder {', '.join(table.encoders)} for the targets {listed(table.targets)}: {error}"
        ) from error


def several(encoders: Sequence[str], mode: str) -> tuple[str, ...]:
    """The encoders of a mode that compares or combines them.

    Raises:
        UserError: they are not a list of at least two distinct names.

    Example:
        >>> several(["qwen35_35b", "gpt_oss_20b"], "fusion")
        ('qwen35_35b', 'gpt_oss_20b')
    """
    if isinstance(encoders, str) or not all(isinstance(name, str) for name in encoders):
        raise UserError(f"mode.encoders: expected a list of names, such as [a,b], found {encoders!r}")
    repeated = sorted({name for name in encoders if list(encoders).count(name) > 1})
    if repeated:
        raise UserError(f"mode.encoders: expected each encoder once, found {listed(repeated)} more than once")
    if len(encoders) < 2:
        raise UserError(
            f"mode.encoders: expected at least two encoders for mode={mode}, such as [a,b], found "
            f"{listed(encoders) or 'none'}; mode=single reads one"
        )
    return tuple(encoders)
