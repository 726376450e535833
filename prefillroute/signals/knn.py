"""The paper's kNN signal: what the outcomes of similar training queries say about every target (section 4.2).

G = groups, N = queries, M = targets, P = new queries, n = memory rows, d = width of an embedding.
"""

import numpy as np

from prefillroute.errors import UserError
from prefillroute.heads.layout import Layout
from prefillroute.readings.contract import Reading, Readings
from prefillroute.seeds import derive_seed
from prefillroute.semantic.embedder import POOLING
from prefillroute.semantic.neighbour_statistics import KERNELS, KS, NAMES, neighbour_statistics
from prefillroute.semantic.neighbours import group_neighbours, nearest
from prefillroute.signals.contract import Fitting, Signal


class KNNSignal(Signal):
    """Gives 50 neighbour statistics per target, side by side: target m has columns 50 m to 50 (m + 1) - 1.

    Ratios can be read as probabilities; distances are in units of the group's mean distance to the 100 nearest
    neighbours. A row and its duplicates (`Fitting.duplicates`) are never neighbours of that row.
    """

    def __init__(
        self, embedder: str, kernel: str = "inverse", index_share: float = 1.0, seed: int = 0
    ) -> None:
        """Find neighbours by the vectors of `embedder`; the statistics `weighted_*` use `kernel`, one of `KERNELS`.

        Only a share `index_share` of the training rows is searched; `seed` fixes which rows these are.
        """
        if kernel not in KERNELS:
            raise UserError(f"signal.kernel: expected one of {', '.join(KERNELS)}, found {kernel!r}")
        if not 0 < index_share <= 1:
            raise UserError(f"signal.index_share: expected more than 0 and at most 1, found {index_share}")
        self.embedder, self.kernel, self.index_share, self.seed = embedder, kernel, index_share, seed

    def reads(self) -> tuple[Reading, ...]:
        """The vectors of the embedder."""
        return (Reading("embedder", self.embedder),)

    def fit_transform(self, readings: Readings, fitting: Fitting) -> np.ndarray:
        """Features (G, N, 50 M) float32; group g knows the embeddings and outcomes of the rows of `masks[g]` only."""
        embedding, masks = self._vectors(readings), fitting.masks
        correct = fitting.correct.astype(np.float32)
        features = np.empty((*masks.shape, correct.shape[1] * len(NAMES)), dtype=np.float32)
        memories = [self._memory(mask) for mask in masks]
        found = group_neighbours(embedding, memories, max(KS), fitting.duplicates)
        for group, neighbours in enumerate(found):
            scale = _mean_distance(neighbours.distances[masks[group]])
            labels = correct[neighbours.memory]
            statistics = neighbour_statistics(
                neighbours.distances / scale,
                neighbours.rows,
                labels,
                self.kernel,
                groups=neighbours.groups,
                memory_groups=neighbours.memory_groups,
                threshold=fitting.threshold,
            )
            features[group] = statistics.reshape(len(statistics), -1)
            if group == 0:
                self.memory_ = embedding[neighbours.memory].astype(np.float32)
                self.correct_, self.scale_, self.threshold_ = labels, scale, fitting.threshold
        self.layout_ = Layout(features.shape[2], own=NAMES)
        return features

    def transform(self, readings: Readings) -> np.ndarray:
        """Features (P, 50 M) float32 of new queries, from group 0's memory."""
        distances, rows = nearest(self.memory_, self._vectors(readings), max(KS))
        statistics = neighbour_statistics(
            distances / self.scale_, rows, self.correct_, self.kernel, threshold=self.threshold_
        )
        return statistics.reshape(len(statistics), -1)

    def _vectors(self, readings: Readings) -> np.ndarray:
        return readings.source(Reading("embedder", self.embedder)).read(0, POOLING)

    def _memory(self, mask: np.ndarray) -> np.ndarray:
        """The numbers of the rows of `mask` (N,) that are searched, in ascending order."""
        rows = np.flatnonzero(mask)
        size = max(1, round(self.index_share * len(rows)))
        generator = np.random.default_rng(derive_seed(self.seed, "index_share"))
        return rows[np.sort(generator.permutation(len(rows))[:size])]


def _mean_distance(distances: np.ndarray) -> np.float32:
    """The mean of the distances (n, K) that exist; 1 if all of them are 0."""
    there = distances[np.isfinite(distances)]
    mean = np.float32(there.mean(dtype=np.float64)) if len(there) else np.float32(0)
    return mean if mean > 0 else np.float32(1)
