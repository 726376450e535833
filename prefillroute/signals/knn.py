"""The paper's kNN signal: what the outcomes of similar training queries say about every target (section 4.2).

G = groups, N = queries, M = targets, P = new queries, n = memory rows, d = width of an embedding.
"""

import numpy as np

from prefillroute.errors import UserError
from prefillroute.seeds import derive_seed
from prefillroute.semantic.neighbour_statistics import KERNELS, KS, NAMES, neighbour_statistics
from prefillroute.semantic.neighbours import group_neighbours, nearest
from prefillroute.signals.inputs import SignalInputs


class KNNSignal:
    """50 neighbour statistics of every target, side by side: target m has columns 50 m to 50 (m + 1).

    Ratios can be read as probabilities; distances are in units of the group's mean distance to the 100 nearest
    neighbours. Duplicates of a row (`SignalInputs.groups`) never are its neighbours, itself included.
    """

    needs: frozenset[str] = frozenset({"embedding"})
    own_features: int = len(NAMES)
    own_names: tuple[str, ...] = NAMES

    def __init__(self, kernel: str = "inverse", index_share: float = 1.0, seed: int = 0) -> None:
        """`kernel` of `weighted_*`, one of `KERNELS`; `index_share` of the training rows are searched, a choice that
        `seed` fixes.
        """
        if kernel not in KERNELS:
            raise UserError(f"signal.kernel: expected one of {', '.join(KERNELS)}, found {kernel!r}")
        if not 0 < index_share <= 1:
            raise UserError(f"signal.index_share: expected more than 0 and at most 1, found {index_share}")
        self.kernel, self.index_share, self.seed = kernel, index_share, seed

    def fit_transform(self, inputs: SignalInputs, masks: np.ndarray) -> np.ndarray:
        """(G, N, 50 M) float32; group g knows the embeddings and outcomes of the rows of `masks[g]` (G, N) bool."""
        assert inputs.embedding is not None, "this signal needs embeddings"
        assert inputs.correct is not None, "fitting needs outcomes"
        correct = inputs.correct.astype(np.float32)
        features = np.empty((*masks.shape, correct.shape[1] * len(NAMES)), dtype=np.float32)
        memories = [self._memory(mask) for mask in masks]
        found = group_neighbours(inputs.embedding, memories, max(KS), inputs.groups)
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
                threshold=inputs.threshold,
            )
            features[group] = statistics.reshape(len(statistics), -1)
            if group == 0:
                self.memory_ = inputs.embedding[neighbours.memory].astype(np.float32)
                self.correct_, self.scale_, self.threshold_ = labels, scale, inputs.threshold
        return features

    def transform(self, inputs: SignalInputs) -> np.ndarray:
        """(P, 50 M) float32 of new queries, from group 0's memory."""
        assert inputs.embedding is not None, "this signal needs embeddings"
        distances, rows = nearest(self.memory_, inputs.embedding, max(KS))
        statistics = neighbour_statistics(
            distances / self.scale_, rows, self.correct_, self.kernel, threshold=self.threshold_
        )
        return statistics.reshape(len(statistics), -1)

    def _memory(self, mask: np.ndarray) -> np.ndarray:
        """Numbers of the rows of `mask` (N,) that are searched, ascending."""
        rows = np.flatnonzero(mask)
        size = max(1, round(self.index_share * len(rows)))
        generator = np.random.default_rng(derive_seed(self.seed, "index_share"))
        return rows[np.sort(generator.permutation(len(rows))[:size])]


def _mean_distance(distances: np.ndarray) -> np.float32:
    """Mean of the distances (n, K) that are there; 1 where all are 0."""
    there = distances[np.isfinite(distances)]
    mean = np.float32(there.mean(dtype=np.float64)) if len(there) else np.float32(0)
    return mean if mean > 0 else np.float32(1)
