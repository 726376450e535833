"""The paper's choice (section 5.1): each target's best layer, pooling and dimension by a cross-validated probe."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from prefillroute.layers.choice import LayerChoice
from prefillroute.layers.grid import LayerRange, cells
from prefillroute.layers.selection import choose_blocks
from prefillroute.layers.source import ActivationSource
from prefillroute.layers.table import ProbeTable, Progress
from prefillroute.probes.layer_probe import check_folds, probe_layer


class CVProbe:
    """Grid over layer x pooling x PCA dimension, scored by mean ROC-AUC of logistic regression over folds.

    Example:
        >>> from prefillroute.layers.source import ArraySource
        >>> rows = np.random.default_rng(0).normal(size=(2, 60, 4))
        >>> source = ArraySource("toy", 2, {(1, "mean"): rows[0], (2, "mean"): rows[1]})
        >>> labels, folds = (rows[1][:, :1] > 0).astype(float), np.arange(60) % 3
        >>> choice = CVProbe("all", ["mean"], dims=[4]).choose(source, labels, folds, ["a"])
        >>> [block.name for block in choice.blocks]
        ['toy/mean/2/pca4']
    """

    def __init__(
        self,
        layers: LayerRange = "upper",
        poolings: Sequence[str] = ("last", "mean"),
        dims: Sequence[int] = (50, 100, 200, 300),
        max_blocks: int = 8,
        regularisation: float = 1.0,
        fisher_dim: int = 100,
        permutations: int = 20,
        device: str = "cpu",
    ) -> None:
        """`regularisation` is scikit-learn's C. `fisher_dim` and `permutations` set up the Fisher J that is reported
        beside the AUC and takes no part in the choice. `device` is where the matrix products run.
        """
        self.layers, self.max_blocks = layers, max_blocks
        self.poolings, self.dims = tuple(poolings), tuple(dims)
        self._probe = partial(
            probe_layer,
            dims=self.dims,
            regularisation=regularisation,
            fisher_dim=fisher_dim,
            permutations=permutations,
            device=device,
        )

    def choose(
        self,
        source: ActivationSource,
        labels: np.ndarray,
        folds: np.ndarray,
        targets: Sequence[str],
        seed: int = 0,
        progress: Progress | None = None,
    ) -> LayerChoice:
        """Probe every cell of the grid on the training rows; `labels` (N, T) of 0, 1 or NaN, `folds` (N,)."""
        check_folds(folds, len(labels))
        table = ProbeTable(targets)
        for number, total, layer, pooling in cells(self.layers, self.poolings, source):
            probe = self._probe(source.read(layer, pooling), labels, folds, seed=seed)
            table.add(source.encoder, (layer,), pooling, probe, probe.dims)
            if progress is not None:
                progress(number + 1, total, f"layer {layer} {pooling}")
        return choose_blocks(table.blocks, table.auc, targets, self.max_blocks, table.frame(), table.notes)
