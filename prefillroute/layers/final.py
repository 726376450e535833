"""The last block's output: the usual place to look, here as a baseline."""

from collections.abc import Sequence

import numpy as np

from prefillroute.errors import UserError
from prefillroute.layers.choice import LayerChoice
from prefillroute.layers.fixed import FixedDepth
from prefillroute.layers.source import ActivationSource
from prefillroute.layers.table import Progress


class FinalLayer:
    """Layer L (before the final norm), one block for each pooling, for all targets."""

    def __init__(self, poolings: Sequence[str] = ("last", "mean"), dim: int = 100) -> None:
        """`dim` is the PCA dimension of each block."""
        self.poolings, self.dim = tuple(poolings), dim

    def choose(
        self,
        source: ActivationSource,
        labels: np.ndarray,
        folds: np.ndarray,
        targets: Sequence[str],
        seed: int = 0,
        progress: Progress | None = None,
    ) -> LayerChoice:
        """Refuses a cache without layer L rather than taking a neighbour."""
        if source.num_layers not in source.layer_ids:
            raise UserError(
                f"layers=final: the cache of {source.encoder} has layers {list(source.layer_ids)}, "
                f"want layer {source.num_layers}"
            )
        return FixedDepth(1.0, self.poolings, self.dim).choose(source, labels, folds, targets, seed, progress)
