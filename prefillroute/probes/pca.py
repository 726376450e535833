"""StandardScaler and PCA from moments alone: the rows are read once for every fold and every dimension.

H = width, D = components.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from prefillroute.probes.rows import Moments

CONSTANT_BELOW = 1e-6
"""A column counts as constant if its standard deviation is below this share of its absolute mean (float32 resolves
1e-7)."""
DENSE_UP_TO = 2048
"""Widest covariance that is decomposed in full; wider ones are decomposed by subspace iteration."""


@dataclass(frozen=True)
class ScaledPCA:
    """Standardisation followed by PCA; smaller dimensions are its leading columns."""

    mean: Tensor
    """(H,) float64."""
    scale: Tensor
    """(H,) float64 standard deviation; 1 for constant columns."""
    components: Tensor
    """(H, D) float64, orthonormal; the largest loading of each component is positive, as in scikit-learn."""
    variances: Tensor
    """(D,) float64 variance of each score with denominator N, descending."""

    @property
    def matrix(self) -> Tensor:
        """(H, D) float64: scores are (x - mean) @ matrix."""
        return self.components / self.scale[:, None]

    @property
    def constant(self) -> bool:
        """Whether no column varies at all, as where the last token's embedding is the same for every query."""
        return bool(self.variances.sum() == 0)


def fit_scaled_pca(
    moments: Moments, dim: int, *, start: Tensor | None = None, dtype: torch.dtype = torch.float64
) -> ScaledPCA:
    """Fit scaler and PCA to the rows behind `moments`; there are at most min(dim, N - 1, H) components.

    `start` (H, D') is a guess of the leading subspace (that of another fold); only wide covariances use it. `dtype` is
    the dtype of the eigendecomposition.
    """
    width = len(moments.mean)
    variance = moments.covariance.diagonal().clamp_min(0)
    varies = variance.sqrt() > CONSTANT_BELOW * moments.mean.abs()
    scale = torch.where(varies, variance.sqrt(), 1.0)
    inverse = torch.where(varies, 1 / scale, 0.0)
    correlation = moments.covariance * inverse[:, None] * inverse[None, :]
    dim = max(1, min(dim, moments.count - 1, width))
    components, variances = leading_eigenvectors(correlation.to(dtype), dim, start)
    # Constant columns must not leak through: an eigenvector of a zero eigenvalue could point there.
    components = components.double() * varies[:, None]
    largest = components.abs().argmax(0, keepdim=True)
    signs = torch.where(components.gather(0, largest) < 0, -1.0, 1.0)
    return ScaledPCA(moments.mean, scale, components * signs, variances.double().clamp_min(0))


def leading_eigenvectors(
    matrix: Tensor, count: int, start: Tensor | None = None, tolerance: float = 1e-5, max_iterations: int = 40
) -> tuple[Tensor, Tensor]:
    """The `count` leading eigenvectors (H, count) and eigenvalues (count,), descending, of a symmetric (H, H) matrix.

    Wide matrices are solved by block subspace iteration (Halko et al. 2011) until the captured variance grows by less
    than `tolerance` of itself. This is deterministic: without `start`, the first block is drawn from a fixed seed.
    """
    width = matrix.shape[0]
    if width <= DENSE_UP_TO or 2 * count >= width:
        values, vectors = torch.linalg.eigh(matrix)
        return vectors[:, -count:].flip(1), values[-count:].flip(0)
    block = min(width, count + max(20, count // 8))
    generator = torch.Generator().manual_seed(0)
    basis = torch.randn(width, block, generator=generator, dtype=torch.float64).to(matrix)
    if start is not None:
        kept = min(block, start.shape[1])
        basis[:, :kept] = start[:, :kept].to(matrix)
    basis = torch.linalg.qr(basis).Q
    captured = torch.tensor(0.0)
    for _ in range(max_iterations):
        image = matrix @ basis
        values, rotation = torch.linalg.eigh(basis.T @ image)
        before, captured = captured, values[-count:].sum()
        if captured - before <= tolerance * captured.abs():
            break
        basis = torch.linalg.qr(image).Q
    return basis @ rotation[:, -count:].flip(1), values[-count:].flip(0)
