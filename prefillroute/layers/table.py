"""What layer probes found: blocks, and the scores of each for every target.

B = blocks, T = targets.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from prefillroute.layers.choice import TABLE_COLUMNS, Block, empty_table, encoders_of, join_frames, join_notes
from prefillroute.layers.source import ActivationSource
from prefillroute.probes.layer_probe import LayerProbe

Progress = Callable[[int, int, str], None]
"""A callback that gets (number done, total, what was just done)."""


@dataclass(frozen=True)
class Probed:
    """One matrix of activations and what its probe found."""

    layers: tuple[int, ...]
    """Layers that stand side by side in the matrix."""
    pooling: str
    dims: tuple[int, ...]
    """PCA dimensions, one block for each."""
    probe: LayerProbe


@dataclass(frozen=True)
class ProbeTable:
    """Blocks of one encoder, or of several, and their scores, in the order probed.

    Raises:
        ValueError: the frame does not have one row for each block and target.

    Example:
        >>> from prefillroute.layers.cv_probe import CVProbe
        >>> from prefillroute.layers.contract import ProbeTask
        >>> from prefillroute.layers.source import ArraySource
        >>> rows = np.random.default_rng(0).normal(size=(60, 4))
        >>> task = ProbeTask((rows[:, :1] > 0).astype(float), np.arange(60) % 3, ("a",))
        >>> chooser = CVProbe("all", ["mean"], dims=[2, 4])
        >>> first = chooser.score(ArraySource("toy", 1, {(1, "mean"): rows}), task)
        >>> second = chooser.score(ArraySource("other", 7, {(7, "mean"): rows}), task)
        >>> joined = ProbeTable.join([first, second])
        >>> joined.auc.shape, joined.encoders
        ((4, 1), ('toy', 'other'))
    """

    targets: tuple[str, ...]
    blocks: tuple[Block, ...]
    frame: pd.DataFrame
    """The content of layers.parquet: T rows for each block, in order. It has no rows if nothing was measured.

    `auc` belongs to the row's dimension. `fisher_j` and `fisher_j_permuted` belong to the one fixed dimension at which
    J is comparable, and are repeated on every row of the layer, pooling and target. `d_eff` and `anisotropy` belong to
    layer and pooling. A block of several layers is listed under its deepest layer. Undefined values are null.
    """
    depths: Mapping[str, int]
    """Number of layers L of each encoder."""
    notes: tuple[str, ...] = ()
    """What a reader of the report should know, such as constant layers left out."""

    def __post_init__(self) -> None:
        expected = len(self.blocks) * len(self.targets)
        if len(self.frame) not in (0, expected):
            raise ValueError(
                f"expected {expected} rows, one for each block and target, found {len(self.frame)}"
            )

    @classmethod
    def of_probes(
        cls, source: ActivationSource, targets: Sequence[str], probed: Sequence[Probed]
    ) -> "ProbeTable":
        """Collect the probes of one encoder; AUCs are NaN where a probe has none.

        A note names the layers whose activations are the same for every query.
        """
        blocks, frames, constant = [], [], []
        for each in probed:
            probe = each.probe
            auc = probe.auc if len(probe.auc) else np.full((len(each.dims), len(targets)), np.nan)
            if np.isnan(probe.d_eff):
                constant.append(f"layer {'+'.join(map(str, each.layers))} {each.pooling}")
            for dim, row in zip(each.dims, auc, strict=True):
                frame = pd.DataFrame({"target": targets, "auc": row})
                frame["encoder"], frame["pooling"] = source.encoder, each.pooling
                frame["layer"], frame["dim"] = max(each.layers), dim
                frame["fisher_j"], frame["fisher_j_permuted"] = probe.fisher_j, probe.fisher_j_permuted
                frame["d_eff"], frame["anisotropy"] = probe.d_eff, probe.anisotropy
                frames.append(frame[list(TABLE_COLUMNS)])
                blocks.append(Block(source.encoder, each.layers, each.pooling, dim))
        return cls(
            targets=tuple(targets),
            blocks=tuple(blocks),
            frame=pd.concat(frames, ignore_index=True) if frames else empty_table(),
            depths={source.encoder: source.num_layers},
            notes=(f"constant, never chosen: {', '.join(constant)}",) if constant else (),
        )

    @classmethod
    def join(cls, tables: Sequence["ProbeTable"]) -> "ProbeTable":
        """One table of several encoders' blocks, in the order given; notes name their encoder.

        All tables have the same targets, and no encoder is in two of them.
        """
        targets = tables[0].targets
        assert all(table.targets == targets for table in tables), [table.targets for table in tables]
        names = [name for table in tables for name in table.encoders]
        assert len(set(names)) == len(names), names
        return cls(
            targets=targets,
            blocks=tuple(block for table in tables for block in table.blocks),
            frame=join_frames([table.frame for table in tables]),
            depths={name: depth for table in tables for name, depth in table.depths.items()},
            notes=join_notes([(table.encoders, table.notes) for table in tables]),
        )

    @property
    def encoders(self) -> tuple[str, ...]:
        """Distinct names, in the order of the blocks."""
        return encoders_of(self.blocks)

    @cached_property
    def auc(self) -> np.ndarray:
        """(B, T) cross-validated ROC-AUC; NaN where it is undefined or was not measured."""
        return self.scores("auc")

    @cached_property
    def fisher(self) -> np.ndarray:
        """(B, T) Fisher J; NaN where it is undefined or was not measured."""
        return self.scores("fisher_j")

    @cached_property
    def d_eff(self) -> np.ndarray:
        """(B,) effective dimension; NaN where nothing varies or it was not measured."""
        return self.scores("d_eff")[:, 0]

    def scores(self, column: str) -> np.ndarray:
        """(B, T) values of a column of the frame."""
        shape = len(self.blocks), len(self.targets)
        if self.frame.empty:
            return np.full(shape, np.nan)
        return np.ascontiguousarray(self.frame[column].to_numpy(dtype=np.float64)).reshape(shape)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, without the frame."""
        return {
            "targets": list(self.targets),
            "blocks": [block.to_dict() for block in self.blocks],
            "depths": dict(self.depths),
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], frame: pd.DataFrame) -> "ProbeTable":
        """Inverse of `to_dict`.

        Raises:
            KeyError: `values` or `frame` is that of something else.
            ValueError: the frame does not have one row for each block and target.
        """
        return cls(
            targets=tuple(values["targets"]),
            blocks=tuple(Block.from_dict(block) for block in values["blocks"]),
            frame=frame[list(TABLE_COLUMNS)],
            depths=dict(values["depths"]),
            notes=tuple(values["notes"]),
        )
