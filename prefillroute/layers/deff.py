"""The layer whose variance is spread over most directions (DESIGN 5, equation 11), the same for all targets."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from prefillroute.errors import UserError
from prefillroute.layers.choice import LayerChoice
from prefillroute.layers.contract import LayerChooser, ProbeTask
from prefillroute.layers.grid import LayerRange, cells
from prefillroute.layers.selection import one_for_all
from prefillroute.layers.source import ActivationSource
from prefillroute.layers.table import Probed, ProbeTable, Progress


class EffectiveDimension(LayerChooser):
    """Chooses the greatest d_eff of the activations' covariance; no labels are used.

    Example:
        >>> from prefillroute.layers.source import ArraySource
        >>> rows = np.random.default_rng(0).normal(size=(2, 60, 4))
        >>> source = ArraySource("toy", 2, {(1, "mean"): rows[0], (2, "mean"): rows[1]})
        >>> task = ProbeTask(np.zeros((60, 1)), np.arange(60) % 3, ("a",))
        >>> choice = EffectiveDimension("all", ["mean"], dim=2).choose(source, task)
        >>> len(choice.blocks), len(choice.table)
        (1, 2)
    """

    rated_by = None

    def __init__(
        self,
        layers: LayerRange = "upper",
        poolings: Sequence[str] = ("last", "mean"),
        dim: int = 100,
        device: str = "cpu",
    ) -> None:
        """`dim` is the PCA dimension of the chosen block."""
        self.layers, self.poolings, self.dim, self.device = layers, tuple(poolings), dim, device

    def score(
        self, source: ActivationSource, task: ProbeTask, progress: Progress | None = None
    ) -> ProbeTable:
        """Compute d_eff of every layer and pooling; labels, folds and seed are not used."""
        dims = (min(self.dim, source.hidden_size, len(task.labels) - 1),)
        probed = []
        for number, total, layer, pooling in cells(self.layers, self.poolings, source):
            read = partial(source.read, layer, pooling)
            probe = task.probe(f"layer {layer} {pooling}", read, None, device=self.device)
            probed.append(Probed((layer,), pooling, dims, probe))
            if progress is not None:
                progress(number + 1, total, f"layer {layer} {pooling}")
        return ProbeTable.of_probes(source, task.targets, probed)

    def select(self, table: ProbeTable) -> LayerChoice:
        """The block with the greatest d_eff, for all targets."""
        if np.isnan(table.d_eff).all():
            raise UserError(
                f"layers: expected activations that vary, found only constant layers of {', '.join(table.encoders)}"
            )
        return one_for_all(table, [table.blocks[int(np.nanargmax(table.d_eff))]])
