"""The result of layer choice: the blocks that become features, which targets they serve, and the evidence."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from prefillroute.spec import Stored

TABLE_COLUMNS = (
    "encoder",
    "layer",
    "pooling",
    "dim",
    "target",
    "auc",
    "fisher_j",
    "fisher_j_permuted",
    "d_eff",
    "anisotropy",
)
"""Columns of layers.parquet (DESIGN 6) and four of our own; see `layers.table`."""


@dataclass(frozen=True)
class Block(Stored):
    """PCA features of one layer, or of several layers side by side, for one pooling of one encoder.

    Example:
        >>> Block("smollm2_135m", (28,), "last", 100).name
        'smollm2_135m/last/28/pca100'
    """

    encoder: str
    layers: tuple[int, ...]
    pooling: str
    dim: int

    @property
    def name(self) -> str:
        """Name for messages and reports, such as `smollm2_135m/last/28/pca100`."""
        return f"{self.encoder}/{self.pooling}/{'+'.join(map(str, self.layers))}/pca{self.dim}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "encoder": self.encoder,
            "layers": list(self.layers),
            "pooling": self.pooling,
            "dim": self.dim,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Block":
        """Inverse of `to_dict`."""
        return cls(values["encoder"], tuple(values["layers"]), values["pooling"], values["dim"])


def empty_table() -> pd.DataFrame:
    """Return a table without rows, for choosers that measure nothing."""
    return pd.DataFrame({column: [] for column in TABLE_COLUMNS})


@dataclass(frozen=True)
class LayerChoice:
    """Distinct blocks, in the order in which they stand side by side in the features."""

    blocks: tuple[Block, ...]
    per_target: dict[str, int]
    """Maps each target to the index of the block that serves it best."""
    table: pd.DataFrame = field(default_factory=empty_table, compare=False, repr=False)
    """The content of layers.parquet: one row per layer x pooling x dimension x target that was tried."""
    unscored: tuple[str, ...] = ()
    """Targets without an AUC or J (one class in training); they take the block that is best on average."""
    notes: tuple[str, ...] = ()
    """What a reader of the report should know, such as constant layers left out."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, without the table."""
        return {
            "blocks": [block.to_dict() for block in self.blocks],
            "per_target": dict(self.per_target),
            "unscored": list(self.unscored),
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any], table: pd.DataFrame | None = None) -> "LayerChoice":
        """Inverse of `to_dict`."""
        return cls(
            blocks=tuple(Block.from_dict(block) for block in values["blocks"]),
            per_target=dict(values["per_target"]),
            table=empty_table() if table is None else table,
            unscored=tuple(values["unscored"]),
            notes=tuple(values["notes"]),
        )
