"""One encoder for all targets."""

from prefillroute.layers.choice import LayerChoice
from prefillroute.layers.contract import LayerChooser, ProbeTask
from prefillroute.modes.contract import Mode, Score


class Single(Mode):
    """The layers of one encoder serve all targets.

    Example:
        >>> Single("qwen35_35b").encoders
        ('qwen35_35b',)
    """

    def __init__(self, encoder: str) -> None:
        """`encoder` is the name of an option of the group `encoder`."""
        self.encoder = encoder
        self.encoders = (encoder,)

    def choose(self, chooser: LayerChooser, score: Score, task: ProbeTask) -> LayerChoice:
        """What the strategy selects from the encoder's layers."""
        return chooser.select(score(self.encoder, task))
