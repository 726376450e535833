"""A query and its nearest training queries, as the nodes that a graph network reads.

G = groups, N = queries, M = targets, P = new queries, n = memory rows, k = neighbours, F = features of a node.
"""

import numpy as np
from sklearn.decomposition import PCA

from prefillroute.errors import UserError
from prefillroute.heads.layout import NODES, Layout
from prefillroute.readings.contract import Reading, Readings
from prefillroute.semantic.embedder import POOLING
from prefillroute.semantic.neighbour_statistics import mean_outcomes
from prefillroute.semantic.neighbours import group_neighbours, nearest
from prefillroute.signals.contract import Fitting, Signal


class EgoGraphSignal(Signal):
    """Nodes side by side with F = dim + M + 1 columns each: first the query, then its k nearest training queries.

    A node has three parts: the PCA of its embedding, fitted on the group's training rows and divided by the root mean
    square of its columns there; its outcomes minus the targets' mean outcomes (0 where missing, and for the query
    itself); and its closeness 1 / (1 + distance), where the distance is in units of the group's mean distance between
    neighbours (0 for the query itself). The closeness is given because attention scores nodes one by one and cannot
    compare embeddings. A row and its duplicates (`Fitting.duplicates`) are never neighbours of that row.
    """

    def __init__(self, embedder: str, num_neighbours: int = 10, dim: int = 64) -> None:
        """Find `num_neighbours` neighbours by the vectors of `embedder`, and keep `dim` columns of their PCA.

        Columns beyond the width of the vectors or the number of training rows are 0.
        """
        for key, value in (("num_neighbours", num_neighbours), ("dim", dim)):
            if value < 1:
                raise UserError(f"signal.{key}: expected at least 1, found {value}")
        self.embedder, self.num_neighbours, self.dim = embedder, num_neighbours, dim

    def reads(self) -> tuple[Reading, ...]:
        """The vectors of the embedder."""
        return (Reading("embedder", self.embedder),)

    def fit_transform(self, readings: Readings, fitting: Fitting) -> np.ndarray:
        """Features (G, N, (1 + k) F) float32; group g knows embeddings and outcomes of the rows of `masks[g]` only."""
        embedding, masks = self._vectors(readings), fitting.masks
        memories = [np.flatnonzero(mask) for mask in masks]
        groups = fitting.duplicates
        fewest = min(
            len(memory) - np.unique(groups[memory], return_counts=True)[1].max() for memory in memories
        )
        if fewest < self.num_neighbours:
            raise UserError(
                f"signal.num_neighbours: expected at most {fewest}, the number of training rows in the smallest fold "
                f"without one query and its duplicates, found {self.num_neighbours}"
            )
        correct = fitting.correct.astype(np.float32)
        num_nodes = 1 + self.num_neighbours
        width = num_nodes * (self.dim + correct.shape[1] + 1)
        self.layout_ = Layout(width, content=NODES, num_nodes=num_nodes)
        features = np.empty((*masks.shape, width), dtype=np.float32)
        neighbours = group_neighbours(embedding, memories, self.num_neighbours, groups)
        for group, found in enumerate(neighbours):
            training = embedding[found.memory]
            mean, weight = self._fit_pca(training)
            outcomes = correct[found.memory]
            points = (embedding - mean) @ weight
            scale = float(found.distances[masks[group]].mean()) or 1.0
            closeness = 1 / (1 + found.distances / scale)
            prior = mean_outcomes(outcomes, found.groups, found.memory_groups)
            features[group] = _nodes(points, points[found.memory], outcomes, found.rows, prior, closeness)
            if group == 0:
                self.scale_ = scale
                self.memory_, self.correct_ = training.astype(np.float32), outcomes
                self.mean_, self.weight_ = mean, weight
        return features

    def transform(self, readings: Readings) -> np.ndarray:
        """Features (P, (1 + k) F) float32 of new queries, from group 0's memory."""
        embedding = self._vectors(readings)
        distances, rows = nearest(self.memory_, embedding, self.num_neighbours)
        points, memory = ((rows_ - self.mean_) @ self.weight_ for rows_ in (embedding, self.memory_))
        closeness = 1 / (1 + distances / self.scale_)
        prior = mean_outcomes(self.correct_, np.full(len(rows), -1))
        return _nodes(points, memory, self.correct_, rows, prior, closeness)

    def _vectors(self, readings: Readings) -> np.ndarray:
        return readings.source(Reading("embedder", self.embedder)).read(0, POOLING)

    def _fit_pca(self, training: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The mean (d,) and weight (d, dim) float32 of training rows (n, d): a node holds (x - mean) @ weight."""
        rows = training.astype(np.float64)
        pca = PCA(min(self.dim, *rows.shape), svd_solver="covariance_eigh").fit(rows)
        size = np.sqrt(np.square((rows - pca.mean_) @ pca.components_.T).mean())
        weight = np.zeros((rows.shape[1], self.dim), dtype=np.float32)
        weight[:, : pca.n_components_] = pca.components_.T / (size if size > 0 else 1.0)
        return pca.mean_.astype(np.float32), weight


def _nodes(
    points: np.ndarray,
    memory: np.ndarray,
    correct: np.ndarray,
    rows: np.ndarray,
    prior: np.ndarray,
    closeness: np.ndarray,
) -> np.ndarray:
    """Join nodes to features (N, (1 + k) F) float32.

    They come from the PCA of queries (N, dim) and of the memory (n, dim), its outcomes (n, M), the neighbours (N, k),
    mean outcomes (N, M) and the closeness of the neighbours (N, k).
    """
    (num_queries, k), dim = rows.shape, points.shape[1]
    nodes = np.zeros((num_queries, 1 + k, dim + correct.shape[1] + 1), dtype=np.float32)
    nodes[:, 0, :dim], nodes[:, 1:, :dim] = points, memory[rows]
    surprise = correct[rows] - prior[:, None]
    nodes[:, 1:, dim:-1] = np.nan_to_num(surprise, nan=0.0)
    nodes[:, 1:, -1] = closeness
    return nodes.reshape(num_queries, -1)
