"""The last block's output: the layer that is usually read, here as a baseline."""

from collections.abc import Sequence

from prefillroute.errors import UserError
from prefillroute.layers.choice import LayerChoice
from prefillroute.layers.contract import LayerChooser, ProbeTask
from prefillroute.layers.fixed import FixedDepth
from prefillroute.layers.selection import one_for_all
from prefillroute.layers.source import ActivationSource
from prefillroute.layers.table import ProbeTable, Progress


class FinalLayer(LayerChooser):
    """Layer L (before the final norm), one block for each pooling, for all targets.

    Example:
        >>> import numpy as np
        >>> from prefillroute.layers.source import ArraySource
        >>> rows = np.random.default_rng(0).normal(size=(2, 60, 4))
        >>> source = ArraySource("toy", 2, {(1, "mean"): rows[0], (2, "mean"): rows[1]})
        >>> task = ProbeTask(np.zeros((60, 1)), np.arange(60) % 3, ("a",))
        >>> choice = FinalLayer(["mean"], dim=2).choose(source, task)
        >>> choice.blocks[0].name
        'toy/mean/2/pca2'
    """

    rated_by = None

    def __init__(self, poolings: Sequence[str] = ("last", "mean"), dim: int = 100) -> None:
        """`dim` is the PCA dimension of each block."""
        self.poolings, self.dim = tuple(poolings), dim

    def score(
        self, source: ActivationSource, task: ProbeTask, progress: Progress | None = None
    ) -> ProbeTable:
        """Find layer L; a cache without it is an error, so that no neighbouring layer is taken instead."""
        if source.num_layers not in source.layer_ids:
            raise UserError(
                f"layers=final: expected layer {source.num_layers} in the cache of {source.encoder}, "
                f"found layers {list(source.layer_ids)}"
            )
        return FixedDepth(1.0, self.poolings, self.dim).score(source, task, progress)

    def select(self, table: ProbeTable) -> LayerChoice:
        """All blocks of the table, for all targets."""
        return one_for_all(table, table.blocks)
