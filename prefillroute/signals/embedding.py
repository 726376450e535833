"""Sentence embeddings as features (paper section 4.2), standardised and optionally reduced by PCA."""

from typing import Self

import numpy as np
from sklearn.decomposition import PCA

from prefillroute.errors import UserError
from prefillroute.heads.layout import Layout
from prefillroute.readings.contract import Reading, Readings
from prefillroute.semantic.embedder import POOLING
from prefillroute.signals.contract import Fitting, Signal
from prefillroute.spec import Stored

# G = groups, N = queries, d = length of a vector, D = features


class EmbeddingSignal(Signal):
    """Each group's vectors, centred on its training rows and divided by the root mean square of all columns.

    All columns share one scale, because the small components of a sentence vector are small for a reason, and heads
    with an L2 term would otherwise give them the weight of the large ones.

    Args:
        embedder: name of the embedder.
        dim: number of principal components to keep (128 or 256 in the paper); None keeps the vector as it is.

    Raises:
        UserError: `dim` is not positive, or is more than the length of the vectors.
    """

    def __init__(self, embedder: str, dim: int | None = None) -> None:
        if dim is not None and dim < 1:
            raise UserError(f"signal.dim: expected at least 1, or null for no PCA, found {dim}")
        self.embedder, self.dim = embedder, dim

    def reads(self) -> tuple[Reading, ...]:
        """The vectors of the embedder."""
        return (Reading("embedder", self.embedder),)

    def fit_transform(self, readings: Readings, fitting: Fitting) -> np.ndarray:
        """Features (G, N, D) float32."""
        vectors, masks = self._vectors(readings), fitting.masks
        if self.dim is not None and self.dim > min(vectors.shape[1], masks.sum(1).min()):
            raise UserError(
                f"signal.dim: expected at most {min(vectors.shape[1], masks.sum(1).min())}, the width of the "
                f"embedder's vectors or the number of training rows, found {self.dim}"
            )
        scalers = [VectorScaler(self.dim).fit(vectors[mask]) for mask in masks]
        self.scaler_ = scalers[0]
        self.layout_ = Layout(vectors.shape[1] if self.dim is None else self.dim)
        return np.stack([scaler.transform(vectors) for scaler in scalers])

    def transform(self, readings: Readings) -> np.ndarray:
        """Features (N, D) float32 of new queries under group 0."""
        return self.scaler_.transform(self._vectors(readings))

    def _vectors(self, readings: Readings) -> np.ndarray:
        return readings.source(Reading("embedder", self.embedder)).read(0, POOLING)


class VectorScaler(Stored):
    """Centres vectors, applies PCA if `dim` is set, and divides by one scale."""

    def __init__(self, dim: int | None) -> None:
        self.dim = dim

    def fit(self, vectors: np.ndarray) -> Self:
        """Learn mean, rotation and scale from vectors (n, d)."""
        self.mean_ = vectors.mean(axis=0, dtype=np.float64)
        self.rotation_ = None
        if self.dim is not None:
            # The eigenvectors of the covariance are exact, and the same to the bit every time.
            pca = PCA(self.dim, svd_solver="covariance_eigh").fit(vectors.astype(np.float64))
            self.rotation_ = pca.components_.T  # (d, dim)
        scores = self._scores(vectors)
        self.scale_ = float(np.sqrt((scores**2).mean())) or 1.0
        return self

    def transform(self, vectors: np.ndarray) -> np.ndarray:
        """The scaled vectors (n, D) float32."""
        return (self._scores(vectors) / self.scale_).astype(np.float32)

    def _scores(self, vectors: np.ndarray) -> np.ndarray:
        centred = vectors - self.mean_
        return centred if self.rotation_ is None else centred @ self.rotation_
