"""Sources of activations for layer choice and features: one layer and pooling of all rows at a time."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np


class ActivationSource(Protocol):
    """Pooled activations of N rows. Implemented by `caches.reader.CacheView` and `ArraySource`."""

    @property
    def encoder(self) -> str:
        """Short name of the encoder."""

    @property
    def num_layers(self) -> int:
        """Number of blocks L of the encoder; layer 0 is the embedding output, layer L the last block's output before
        the norm."""

    @property
    def hidden_size(self) -> int:
        """Width H."""

    @property
    def layer_ids(self) -> tuple[int, ...]:
        """Layers that can be read, ascending."""

    @property
    def poolings(self) -> tuple[str, ...]:
        """Poolings that can be read."""

    def read(self, layer: int, pooling: str) -> np.ndarray:
        """(N, H) float32, finite."""


class ArraySource:
    """Activations in memory, for notebooks, tests and single new queries.

    Example:
        >>> ArraySource.from_stack("toy", {"mean": np.zeros((5, 3, 4))}).layer_ids
        (0, 1, 2)
    """

    def __init__(self, encoder: str, num_layers: int, arrays: Mapping[tuple[int, str], np.ndarray]) -> None:
        """`arrays` maps (layer, pooling) to (N, H)."""
        self.encoder, self.num_layers = encoder, num_layers
        self.arrays = dict(arrays)
        self.hidden_size = next(iter(self.arrays.values())).shape[1]
        self.layer_ids = tuple(sorted({layer for layer, _ in self.arrays}))
        self.poolings = tuple(sorted({pooling for _, pooling in self.arrays}))

    @classmethod
    def from_stack(
        cls, encoder: str, pooled: Mapping[str, np.ndarray], layer_ids: Sequence[int] | None = None
    ) -> "ArraySource":
        """`pooled` maps each pooling to (N, layers, H); `layer_ids` defaults to 0..L."""
        layers = tuple(range(next(iter(pooled.values())).shape[1])) if layer_ids is None else tuple(layer_ids)
        arrays = {
            (layer, pooling): stack[:, position]
            for pooling, stack in pooled.items()
            for position, layer in enumerate(layers)
        }
        return cls(encoder, max(layers), arrays)

    def read(self, layer: int, pooling: str) -> np.ndarray:
        """(N, H) float32."""
        return np.asarray(self.arrays[layer, pooling], dtype=np.float32)


class RowSubset:
    """The rows of another source that an index picks, so that layer choice only sees the training rows."""

    def __init__(self, source: ActivationSource, rows: np.ndarray) -> None:
        """`rows` is an index array or a mask over the source's rows."""
        self.source, self.rows = source, rows
        self.encoder, self.num_layers = source.encoder, source.num_layers
        self.hidden_size = source.hidden_size
        self.layer_ids, self.poolings = source.layer_ids, source.poolings

    def read(self, layer: int, pooling: str) -> np.ndarray:
        """(len(rows), H) float32."""
        return self.source.read(layer, pooling)[self.rows]
