"""A layer at a given relative depth, for all targets."""

from collections.abc import Sequence

import numpy as np

from prefillroute.errors import UserError
from prefillroute.layers.choice import Block, LayerChoice, empty_table
from prefillroute.layers.contract import LayerChooser, ProbeTask
from prefillroute.layers.grid import resolve_poolings
from prefillroute.layers.selection import one_for_all
from prefillroute.layers.source import ActivationSource
from prefillroute.layers.table import ProbeTable, Progress


class FixedDepth(LayerChooser):
    """The cached layer nearest to `depth` x L, one block for each pooling; no labels are used.

    Example:
        >>> from prefillroute.layers.source import ArraySource
        >>> rows = np.random.default_rng(0).normal(size=(2, 60, 4))
        >>> source = ArraySource("toy", 2, {(1, "mean"): rows[0], (2, "mean"): rows[1]})
        >>> task = ProbeTask(np.zeros((60, 1)), np.arange(60) % 3, ("a",))
        >>> choice = FixedDepth(0.5, ["mean"], dim=2).choose(source, task)
        >>> choice.blocks[0].name
        'toy/mean/1/pca2'
    """

    rated_by = None

    def __init__(
        self, depth: float = 0.75, poolings: Sequence[str] = ("last", "mean"), dim: int = 100
    ) -> None:
        """`depth` is a share of the encoder's blocks: 0 is the embedding, 1 the last block."""
        if not 0 <= depth <= 1:
            raise UserError(
                f"layers.depth: expected a share of the encoder's blocks between 0 and 1, found {depth}"
            )
        self.depth, self.poolings, self.dim = depth, tuple(poolings), dim

    def score(
        self, source: ActivationSource, task: ProbeTask, progress: Progress | None = None
    ) -> ProbeTable:
        """Find the layer without measuring anything; ties go to the deeper one, and a pooling that is the same for
        every row is left out.
        """
        wanted = self.depth * source.num_layers
        layer = min(source.layer_ids, key=lambda each: (abs(each - wanted), -each))
        dim = min(self.dim, source.hidden_size, len(task.labels) - 1)
        poolings = resolve_poolings(self.poolings, source)
        varying = [pooling for pooling in poolings if np.ptp(source.read(layer, pooling), axis=0).any()]
        if not varying:
            raise UserError(
                f"layers.depth: expected a layer that varies, found layer {layer} of {source.encoder} with poolings "
                f"{list(poolings)}, which is the same for every query"
            )
        return ProbeTable(
            targets=tuple(task.targets),
            blocks=tuple(Block(source.encoder, (layer,), pooling, dim) for pooling in varying),
            frame=empty_table(),
            depths={source.encoder: source.num_layers},
            notes=tuple(
                f"constant, never chosen: layer {layer} {each}" for each in poolings if each not in varying
            ),
        )

    def select(self, table: ProbeTable) -> LayerChoice:
        """All blocks of the table, for all targets."""
        return one_for_all(table, table.blocks)
