"""Turns activations into the features that a head reads: scaler and PCA of every chosen block, side by side.

G = groups (sets of training rows: the final fit and the folds), N = rows, H = width of a block's layers,
D = features.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from prefillroute.errors import UserError
from prefillroute.layers.choice import Block
from prefillroute.layers.source import ActivationSource
from prefillroute.probes.pca import ScaledPCA, fit_scaled_pca
from prefillroute.probes.rows import GroupedRows
from prefillroute.spec import Stored

Sources = ActivationSource | Mapping[str, ActivationSource]
"""One source, or one for each encoder that the blocks name."""
SCALES = ("block", "leading", "component", "none")


@dataclass(frozen=True)
class BlockTransform(Stored):
    """Scalers and PCAs of one group of training rows, folded into one affine map for each block.

    The maps are fitted with one of four settings of `scale`. `block` (default) divides each block by the root mean
    square of its columns on its training rows, so that a network sees unit-sized inputs and PCA's order of importance
    survives. `leading` divides each block by the standard deviation of its first component. `component` divides every
    column by its own standard deviation (whitening: the last components count as much as the first). `none` keeps bare
    PCA scores, as in NVIDIA's toolkit.

    Raises:
        UserError: a map does not fit its block.
    """

    blocks: tuple[Block, ...]
    means: tuple[np.ndarray, ...]
    """One (H,) float32 per block."""
    weights: tuple[np.ndarray, ...]
    """One (H, dim) float32 per block: features are (x - mean) @ weight."""

    def __post_init__(self) -> None:
        for number, (block, mean, weight) in enumerate(
            zip(self.blocks, self.means, self.weights, strict=True)
        ):
            if weight.shape != (len(mean), block.dim):
                raise UserError(
                    f"block {number} ({block.name}): expected a weight of shape {(len(mean), block.dim)}, found "
                    f"{weight.shape}"
                )

    @property
    def num_features(self) -> int:
        """D."""
        return sum(block.dim for block in self.blocks)

    def transform(self, sources: Sources) -> np.ndarray:
        """(N, D) float32 for every row of the sources."""
        columns = []
        for block, mean, weight in zip(self.blocks, self.means, self.weights, strict=True):
            rows = torch.from_numpy(read_block(sources, block))
            columns.append((rows - torch.from_numpy(mean)) @ torch.from_numpy(weight))
        return torch.cat(columns, dim=1).numpy()


def fit_transform_groups(
    sources: Sources, blocks: Sequence[Block], masks: np.ndarray, scale: str = "block"
) -> tuple[np.ndarray, list[BlockTransform]]:
    """Features (G, N, D) float32 of all rows under each group's transform, and the transforms.

    Group g is fitted on the rows of `masks[g]` (G, N) bool and on nothing else. Each layer is read once; its scatter is
    summed once over sets of rows that belong to the same groups.

    Example:
        >>> from prefillroute.layers.source import ArraySource
        >>> source = ArraySource("toy", 1, {(1, "mean"): np.random.default_rng(0).normal(size=(6, 4))})
        >>> masks = np.array([[True] * 6, [True] * 3 + [False] * 3])
        >>> fit_transform_groups(source, [Block("toy", (1,), "mean", 2)], masks)[0].shape
        (2, 6, 2)
    """
    if scale not in SCALES:
        raise UserError(f"signal.scale: expected one of {', '.join(SCALES)}, found {scale!r}")
    if masks.sum(1).min() < 2:
        raise UserError(
            f"signal: expected at least 2 training rows in each group, found {masks.sum(1).tolist()}"
        )
    cell, cells_of_group = _cells(masks)
    starts = np.cumsum([0, *(block.dim for block in blocks)])
    features = np.empty((*masks.shape, starts[-1]), dtype=np.float32)
    means: list[dict[int, Tensor]] = [{} for _ in masks]
    weights: list[dict[int, Tensor]] = [{} for _ in masks]
    for numbers in _same_activations(blocks):
        activations = read_block(sources, blocks[numbers[0]])
        rows = GroupedRows(activations, cell)
        guess = None
        for group, cells in enumerate(cells_of_group):
            pca = fit_scaled_pca(
                rows.moments(cells), max(blocks[number].dim for number in numbers), start=guess
            )
            guess = pca.components
            mean = pca.mean.to(torch.float32)
            centred = torch.from_numpy(activations) - mean
            for number in numbers:
                weight = _output_map(pca, blocks[number].dim, scale)
                means[group][number] = mean
                weights[group][number] = weight
                features[group, :, starts[number] : starts[number + 1]] = (centred @ weight).numpy()
    order = range(len(blocks))
    transforms = [
        BlockTransform(
            tuple(blocks), tuple(mean[n].numpy() for n in order), tuple(weight[n].numpy() for n in order)
        )
        for mean, weight in zip(means, weights, strict=True)
    ]
    return features, transforms


def read_block(sources: Sources, block: Block) -> np.ndarray:
    """(N, H) float32 activations of a block, its layers side by side."""
    source = sources[block.encoder] if isinstance(sources, Mapping) else sources
    layers = [source.read(layer, block.pooling) for layer in block.layers]
    return np.ascontiguousarray(
        layers[0] if len(layers) == 1 else np.concatenate(layers, axis=1), dtype=np.float32
    )


def _output_map(pca: ScaledPCA, dim: int, scale: str) -> Tensor:
    """(H, dim) float32; columns beyond the rank of the training rows are zero."""
    matrix, variances = pca.matrix[:, :dim], pca.variances[:dim]
    alive = variances > 1e-9 * variances[0]
    if scale == "component":
        divisor = variances.sqrt()
    elif scale == "leading":
        divisor = variances[0].sqrt().expand_as(variances)
    elif scale == "block":
        divisor = variances.mean().sqrt().expand_as(variances)
    else:
        divisor = torch.ones_like(variances)
    scaled = torch.where(alive, matrix / torch.where(alive, divisor, 1.0), 0.0)
    return torch.nn.functional.pad(scaled, (0, dim - matrix.shape[1])).to(torch.float32).contiguous()


def _cells(masks: np.ndarray) -> tuple[np.ndarray, list[list[int]]]:
    """The cell of every row (-1 outside all groups), and the cells that make up each group."""
    patterns, cell = np.unique(masks, axis=1, return_inverse=True)  # patterns (G, C)
    used = patterns.any(0)
    renumbered = np.where(used, np.cumsum(used) - 1, -1)
    members = [[int(renumbered[c]) for c in np.flatnonzero(group)] for group in patterns]
    return renumbered[cell.ravel()], members


def _same_activations(blocks: Sequence[Block]) -> list[list[int]]:
    """Groups the numbers of blocks that only differ in dimension."""
    together: dict[tuple[str, tuple[int, ...], str], list[int]] = {}
    for number, block in enumerate(blocks):
        together.setdefault((block.encoder, block.layers, block.pooling), []).append(number)
    return list(together.values())
