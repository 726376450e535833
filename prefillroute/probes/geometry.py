"""The geometry of a layer's activations, in closed form (DESIGN 5, equations 11 and 12)."""

import numpy as np
import torch
from torch import Tensor


def effective_dimension(covariance: Tensor) -> float:
    """Participation ratio (sum e)^2 / sum e^2 of the covariance's eigenvalues (11); NaN where nothing varies.

    No eigenvalues are needed: the sums are the trace and the squared Frobenius norm. The result lies in [1, H].

    Example:
        >>> effective_dimension(torch.eye(3))
        3.0
    """
    spread = covariance.square().sum()
    return float(covariance.trace() ** 2 / spread) if spread > 0 else float("nan")


def anisotropy(activations: np.ndarray | Tensor) -> float:
    """Mean cosine similarity over all pairs of distinct rows of (N, H) (12), in O(N H); NaN below two rows.

    With unit rows u, the sum over ordered pairs is |sum u|^2 - N. All-zero rows have no direction and are left out.

    Example:
        >>> anisotropy(np.array([[1.0, 0.0], [2.0, 0.0]]))
        1.0
    """
    rows = torch.as_tensor(activations)
    norms = torch.linalg.vector_norm(rows, dim=1)
    alive = norms > 0
    count = int(alive.sum())
    if count < 2:
        return float("nan")
    total = (torch.where(alive, 1 / norms, 0.0) @ rows).double()
    return float((total @ total - count) / (count * (count - 1)))
