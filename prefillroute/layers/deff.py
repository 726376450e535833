"""The layer whose variance is spread over most directions (DESIGN 5, equation 11), the same for all targets."""

from collections.abc import Sequence

import numpy as np

from prefillroute.errors import UserError
from prefillroute.layers.choice import LayerChoice
from prefillroute.layers.grid import LayerRange, cells
from prefillroute.layers.selection import one_for_all
from prefillroute.layers.source import ActivationSource
from prefillroute.layers.table import ProbeTable, Progress
from prefillroute.probes.layer_probe import probe_layer


class EffectiveDimension:
    """Chooses the greatest d_eff of the activations' covariance; no labels are used.

    Example:
        >>> from prefillroute.layers.source import ArraySource
        >>> rows = np.random.default_rng(0).normal(size=(2, 60, 4))
        >>> source = ArraySource("toy", 2, {(1, "mean"): rows[0], (2, "mean"): rows[1]})
        >>> choice = EffectiveDimension("all", ["mean"], dim=2).choose(source, np.zeros((60, 1)), None, ["a"])
        >>> len(choice.blocks), len(choice.table)
        (1, 2)
    """

    def __init__(
        self,
        layers: LayerRange = "upper",
        poolings: Sequence[str] = ("last", "mean"),
        dim: int = 100,
        device: str = "cpu",
    ) -> None:
        """`dim` is the PCA dimension of the chosen block."""
        self.layers, self.poolings, self.dim, self.device = layers, tuple(poolings), dim, device

    def choose(
        self,
        source: ActivationSource,
        labels: np.ndarray,
        folds: np.ndarray,
        targets: Sequence[str],
        seed: int = 0,
        progress: Progress | None = None,
    ) -> LayerChoice:
        """Compute d_eff of every layer and pooling on the training rows; labels, folds and seed are not used."""
        table = ProbeTable(targets)
        spread = []
        for number, total, layer, pooling in cells(self.layers, self.poolings, source):
            probe = probe_layer(source.read(layer, pooling), labels, None, device=self.device)
            table.add(
                source.encoder, (layer,), pooling, probe, [min(self.dim, source.hidden_size, len(labels) - 1)]
            )
            spread.append(probe.d_eff)
            if progress is not None:
                progress(number + 1, total, f"layer {layer} {pooling}")
        if np.isnan(spread).all():
            raise UserError(
                f"layers: expected activations that vary, found only constant layers of {source.encoder}"
            )
        best = int(np.nanargmax(spread))
        return one_for_all([table.blocks[best]], targets, table.frame(), table.notes)
