"""The paper's model-free choice (section 6.3): each target's most separable layer and pooling by Fisher J."""

from collections.abc import Sequence

import numpy as np

from prefillroute.layers.choice import LayerChoice
from prefillroute.layers.grid import LayerRange, cells
from prefillroute.layers.selection import choose_blocks
from prefillroute.layers.source import ActivationSource
from prefillroute.layers.table import ProbeTable, Progress
from prefillroute.probes.layer_probe import probe_layer


class Fisher:
    """Chooses layer and pooling by J on PCA features of one fixed dimension, without folds or a classifier.

    J grows with the dimension even on shuffled labels, so it cannot be used to choose the dimension. The table also has
    its mean over `permutations` shuffles.

    Example:
        >>> from prefillroute.layers.source import ArraySource
        >>> rows = np.random.default_rng(0).normal(size=(2, 60, 4))
        >>> source = ArraySource("toy", 2, {(1, "mean"): rows[0], (2, "mean"): rows[1]})
        >>> labels, folds = (rows[1][:, :1] > 0).astype(float), np.arange(60) % 3
        >>> choice = Fisher("all", ["mean"], dim=4).choose(source, labels, folds, ["a"])
        >>> [block.name for block in choice.blocks]
        ['toy/mean/2/pca4']
    """

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

    def choose(
        self,
        source: ActivationSource,
        labels: np.ndarray,
        folds: np.ndarray,
        targets: Sequence[str],
        seed: int = 0,
        progress: Progress | None = None,
    ) -> LayerChoice:
        """Compute J of every layer and pooling on the training rows; `folds` is not used."""
        table = ProbeTable(targets)
        for number, total, layer, pooling in cells(self.layers, self.poolings, source):
            probe = probe_layer(
                source.read(layer, pooling),
                labels,
                None,
                fisher_dim=self.dim,
                permutations=self.permutations,
                seed=seed,
                device=self.device,
            )
            table.add(
                source.encoder, (layer,), pooling, probe, [min(self.dim, source.hidden_size, len(labels) - 1)]
            )
            if progress is not None:
                progress(number + 1, total, f"layer {layer} {pooling}")
        return choose_blocks(table.blocks, table.fisher, targets, self.max_blocks, table.frame(), table.notes)
