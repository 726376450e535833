"""The paper's choice (section 5.1): each target's best layer, pooling and dimension by a cross-validated probe."""

from collections.abc import Sequence

from prefillroute.layers.choice import LayerChoice
from prefillroute.layers.contract import LayerChooser, ProbeTask
from prefillroute.layers.grid import LayerRange, cells
from prefillroute.layers.selection import choose_blocks
from prefillroute.layers.source import ActivationSource
from prefillroute.layers.table import Probed, ProbeTable, Progress
from prefillroute.probes.layer_probe import LayerProbe, check_folds


class CVProbe(LayerChooser):
    """Grid over layer x pooling x PCA dimension, scored by mean ROC-AUC of logistic regression over folds.

    Example:
        >>> import numpy as np
        >>> from prefillroute.layers.source import ArraySource
        >>> rows = np.random.default_rng(0).normal(size=(2, 60, 4))
        >>> source = ArraySource("toy", 2, {(1, "mean"): rows[0], (2, "mean"): rows[1]})
        >>> task = ProbeTask((rows[1][:, :1] > 0).astype(float), np.arange(60) % 3, ("a",))
        >>> choice = CVProbe("all", ["mean"], dims=[4]).choose(source, task)
        >>> [block.name for block in choice.blocks]
        ['toy/mean/2/pca4']
    """

    rated_by = "auc"

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
        self.regularisation, self.fisher_dim = regularisation, fisher_dim
        self.permutations, self.device = permutations, device

    def score(
        self, source: ActivationSource, task: ProbeTask, progress: Progress | None = None
    ) -> ProbeTable:
        """Probe every cell of the grid."""
        check_folds(task.folds, len(task.labels))
        probed = []
        for number, total, layer, pooling in cells(self.layers, self.poolings, source):
            probe = self.probe(source, layer, pooling, task)
            probed.append(Probed((layer,), pooling, probe.dims, probe))
            if progress is not None:
                progress(number + 1, total, f"layer {layer} {pooling}")
        return ProbeTable.of_probes(source, task.targets, probed)

    def select(self, table: ProbeTable) -> LayerChoice:
        """Each target's block with the greatest AUC, reduced to `max_blocks`."""
        return choose_blocks(table, table.auc, self.max_blocks)

    def probe(self, source: ActivationSource, layer: int, pooling: str, task: ProbeTask) -> LayerProbe:
        """Probe one layer and pooling of the task's rows."""
        return task.probe(
            f"layer {layer} {pooling}",
            lambda: source.read(layer, pooling),
            task.folds,
            dims=self.dims,
            regularisation=self.regularisation,
            fisher_dim=self.fisher_dim,
            permutations=self.permutations,
            device=self.device,
        )
