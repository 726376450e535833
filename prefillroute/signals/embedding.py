"""Sentence embeddings as features (paper section 4.2), standardised, optionally reduced by PCA."""

from typing import Self

import numpy as np
from sklearn.decomposition import PCA

from prefillroute.errors import UserError
from prefillroute.signals.inputs import SignalInputs

# G = groups, N = queries, d = length of a vector, D = features


class EmbeddingSignal:
    """Each group's vectors, centred on its training rows and divided by the root mean square of all columns.

    One common scale, not one per column: the small components of a sentence vector are small for a reason, and
    heads with an L2 term would otherwise give them the weight of the large ones.

    Args:
        dim: principal components kept (the paper: 128 or 256); None keeps the vector as it is.

    Raises:
        UserError: `dim` is not positive, or more than the embedder has.
    """

    needs = frozenset({"embedding"})
    own_features = 0
    own_names: tuple[str, ...] = ()

    def __init__(self, dim: int | None = None) -> None:
        if dim is not None and dim < 1:
            raise UserError(f"signal.dim: expected at least 1, or null for no PCA, found {dim}")
        self.dim = dim
        self.scaler_: _Scaler | None = None

    def fit_transform(self, inputs: SignalInputs, masks: np.ndarray) -> np.ndarray:
        """(G, N, D) float32."""
        vectors = _vectors(inputs)
        if self.dim is not None and self.dim > min(vectors.shape[1], masks.sum(1).min()):
            raise UserError(
                f"signal.dim: expected at most {min(vectors.shape[1], masks.sum(1).min())}, the width of the "
                f"embedder's vectors or the number of training rows, found {self.dim}"
            )
        scalers = [_Scaler(self.dim).fit(vectors[mask]) for mask in masks]
        self.scaler_ = scalers[0]
        return np.stack([scaler.transform(vectors) for scaler in scalers])

    def transform(self, inputs: SignalInputs) -> np.ndarray:
        """(N, D) float32 under group 0."""
        assert self.scaler_ is not None, "fit first"
        return self.scaler_.transform(_vectors(inputs))


class _Scaler:
    """Centres vectors, applies PCA if `dim` is set, and divides by one scale."""

    def __init__(self, dim: int | None) -> None:
        self.dim = dim

    def fit(self, vectors: np.ndarray) -> Self:
        """Learn from (n, d)."""
        self.mean = vectors.mean(axis=0, dtype=np.float64)
        self.rotation = None
        if self.dim is not None:
            # The covariance's eigenvectors: exact, and the same to the bit every time.
            pca = PCA(self.dim, svd_solver="covariance_eigh").fit(vectors.astype(np.float64))
            self.rotation = pca.components_.T  # (d, dim)
        scores = self._scores(vectors)
        self.scale = float(np.sqrt((scores**2).mean())) or 1.0
        return self

    def transform(self, vectors: np.ndarray) -> np.ndarray:
        """(n, D) float32."""
        return (self._scores(vectors) / self.scale).astype(np.float32)

    def _scores(self, vectors: np.ndarray) -> np.ndarray:
        centred = vectors - self.mean
        return centred if self.rotation is None else centred @ self.rotation


def _vectors(inputs: SignalInputs) -> np.ndarray:
    assert inputs.embedding is not None, "a signal that needs embedding is given it"
    return inputs.embedding
