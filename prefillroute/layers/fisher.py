"""The paper's model-free choice (section 6.3): each target's most separable layer and pooling by Fisher J."""

from collections.abc import Sequence
from functools import partial

from prefillroute.layers.choice import LayerChoice
from prefillroute.layers.contract import LayerChooser, ProbeTask
from prefillroute.layers.grid import LayerRange, cells
from prefillroute.layers.selection import choose_blocks
from prefillroute.layers.source import ActivationSource
from prefillroute.layers.table import Probed, ProbeTable, Progress


class Fisher(LayerChooser):
    """Chooses layer and pooling by J on PCA features of one fixed dimension, without folds or a classifier.

    J grows with the dimension even on shuffled labels, so it cannot be used to choose the dimension. The table also has
    its mean over `permutations` shuffles.

    Example:
        >>> import numpy as np
        >>> from prefillroute.layers.source import ArraySource
        >>> rows = np.random.default_rng(0).normal(size=(2, 60, 4))
        >>> source = ArraySource("toy", 2, {(1, "mean"): rows[0], (2, "mean"): rows[1]})
        >>> task = ProbeTask((rows[1][:, :1] > 0).astype(float), np.arange(60) % 3, ("a",))
        >>> choice = Fisher("all", ["mean"], dim=4).choose(source, task)
        >>> [block.name for block in choice.blocks]
        ['toy/mean/2/pca4']
    """

    rated_by = "fisher_j"

    def __init__(
        self,
        layers: LayerRange = "upper",
        poolings: Sequence[str] = ("last", "mean"),
        dim: int = 100,
        max_blocks: int = 8,
        permutations: int = 20,
        device: str = "cpu",
    ) -> None:
        """`dim` is the dimension of both J and the blocks."""
        self.layers, self.poolings, self.dim, self.max_blocks = layers, tuple(poolings), dim, max_blocks
        self.permutations, self.device = permutations, device

    def score(
        self, source: ActivationSource, task: ProbeTask, progress: Progress | None = None
    ) -> ProbeTable:
        """Compute J of every layer and pooling; the folds are not used."""
        dims = (min(self.dim, source.hidden_size, len(task.labels) - 1),)
        probed = []
        for number, total, layer, pooling in cells(self.layers, self.poolings, source):
            probe = task.probe(
                f"layer {layer} {pooling}",
                partial(source.read, layer, pooling),
                None,
                fisher_dim=self.dim,
                permutations=self.permutations,
                device=self.device,
            )
            probed.append(Probed((layer,), pooling, dims, probe))
            if progress is not None:
                progress(number + 1, total, f"layer {layer} {pooling}")
        return ProbeTable.of_probes(source, task.targets, probed)

    def select(self, table: ProbeTable) -> LayerChoice:
        """Each target's block with the greatest J, reduced to `max_blocks`."""
        return choose_blocks(table, table.fisher, self.max_blocks)
