"""Collects probes into layers.parquet: one row per layer x pooling x dimension x target."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from prefillroute.layers.choice import TABLE_COLUMNS, Block, empty_table
from prefillroute.probes.layer_probe import LayerProbe

Progress = Callable[[int, int, str], None]
"""A callback that gets (number done, total, what was just done)."""


class ProbeTable:
    """Blocks and their scores, in the order probed.

    `auc` belongs to the row's dimension. `fisher_j` and `fisher_j_permuted` belong to the one fixed dimension at which
    J is comparable, and are repeated on every row of the layer, pooling and target. `d_eff` and `anisotropy` belong to
    layer and pooling. A block of several layers is listed under its deepest layer. Undefined values are null.
    """

    def __init__(self, targets: Sequence[str]) -> None:
        self.targets = tuple(targets)
        self.blocks: list[Block] = []
        self._auc: list[np.ndarray] = []
        self._fisher: list[np.ndarray] = []
        self._frames: list[pd.DataFrame] = []
        self._constant: list[str] = []

    def add(
        self, encoder: str, layers: Sequence[int], pooling: str, probe: LayerProbe, dims: Sequence[int]
    ) -> None:
        """Add one probed matrix as blocks of `dims`; AUCs are NaN where the probe has none."""
        blocks = [Block(encoder, tuple(layers), pooling, dim) for dim in dims]
        auc = probe.auc if len(probe.auc) else np.full((len(dims), len(self.targets)), np.nan)
        if np.isnan(probe.d_eff):
            self._constant.append(f"layer {'+'.join(map(str, layers))} {pooling}")
        self.blocks += blocks
        self._auc.append(auc)
        self._fisher.append(np.tile(probe.fisher_j, (len(dims), 1)))
        for block, row in zip(blocks, auc, strict=True):
            frame = pd.DataFrame({"target": self.targets, "auc": row})
            frame["encoder"], frame["pooling"] = encoder, pooling
            frame["layer"], frame["dim"] = max(block.layers), block.dim
            frame["fisher_j"], frame["fisher_j_permuted"] = probe.fisher_j, probe.fisher_j_permuted
            frame["d_eff"], frame["anisotropy"] = probe.d_eff, probe.anisotropy
            self._frames.append(frame[list(TABLE_COLUMNS)])

    @property
    def auc(self) -> np.ndarray:
        """(B, T)."""
        return np.concatenate(self._auc)

    @property
    def fisher(self) -> np.ndarray:
        """(B, T)."""
        return np.concatenate(self._fisher)

    @property
    def notes(self) -> tuple[str, ...]:
        """A note that names the layers whose activations are the same for every query."""
        if not self._constant:
            return ()
        return (f"constant, never chosen: {', '.join(self._constant)}",)

    def frame(self) -> pd.DataFrame:
        """Return the content of layers.parquet."""
        return pd.concat(self._frames, ignore_index=True) if self._frames else empty_table()
