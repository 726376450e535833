"""Activations grouped by fold, with moments that add up: one pass over the rows gives every fold's scaler and PCA.

N = rows, H = width, C = cells (sets of rows that always go together, such as folds).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Moments:
    """Count, mean and centred scatter of a set of rows."""

    count: int
    mean: Tensor
    """(H,) float64."""
    scatter: Tensor
    """(H, H) float64, sum over rows of the outer product of (row - mean) with itself."""

    @property
    def covariance(self) -> Tensor:
        """(H, H) float64 with denominator N, as scikit-learn's StandardScaler has it."""
        return self.scatter / max(self.count, 1)


class GroupedRows:
    """Rows of one activation matrix, sorted by cell and centred on their own cell's mean.

    The scatter of a union of cells is the sum of theirs plus a rank-one term for each mean (Chan et al. 1983). Cells
    are only ever added, never subtracted from the total: what is fitted without a fold does not depend on a single bit
    of it, and an outlier in a held-out row cannot cancel the digits of the others.
    """

    def __init__(self, activations: np.ndarray, cell: np.ndarray, device: str = "cpu") -> None:
        """`activations` (N, H), `cell` (N,) ints in 0..C-1; rows with a negative cell are left out altogether."""
        kept = np.flatnonzero(cell >= 0)
        self.order = kept[np.argsort(cell[kept], kind="stable")]
        """(N',) index of each grouped row in the input."""
        bounds = np.searchsorted(cell[self.order], np.arange(int(cell.max(initial=-1)) + 2))
        self.slices = [slice(int(low), int(high)) for low, high in pairwise(bounds)]
        rows = torch.from_numpy(np.ascontiguousarray(activations[self.order], dtype=np.float32)).to(device)
        self._means: list[Tensor] = []
        self._scatters: list[Tensor] = []
        for part in self.slices:
            # The mean is rounded to float32, so that row = centred row + mean holds to the last bit kept.
            mean = rows[part].mean(0, dtype=torch.float64).nan_to_num().to(torch.float32)
            rows[part] -= mean
            self._means.append(mean)
            self._scatters.append(rows[part].T @ rows[part])
        self.centred = rows
        """(N', H) float32, each row minus its cell's mean."""

    def moments(self, cells: Sequence[int]) -> Moments:
        """Count, mean and scatter of the rows of `cells` together."""
        counts = [self.slices[c].stop - self.slices[c].start for c in cells]
        total = sum(counts)
        means = torch.stack([self._means[c] for c in cells]).double()  # (C', H)
        weights = torch.tensor(counts, dtype=torch.float64, device=means.device)
        mean = (weights[:, None] * means).sum(0) / max(total, 1)
        shift = (means - mean) * weights.sqrt()[:, None]
        scatter = shift.T @ shift
        for c in cells:
            scatter += self._scatters[c]
        return Moments(count=total, mean=mean, scatter=scatter)

    def project(self, cells: Sequence[int], mean: Tensor, matrix: Tensor) -> Tensor:
        """(rows - mean) @ matrix for the rows of `cells`, in their order: (n, D) float32."""
        matrix32 = matrix.to(torch.float32)
        size = sum(self.slices[c].stop - self.slices[c].start for c in cells)
        out = torch.empty(size, matrix.shape[1], device=matrix32.device)
        start = 0
        for c in cells:
            part = self.slices[c]
            stop = start + part.stop - part.start
            offset = ((self._means[c].double() - mean) @ matrix.double()).to(torch.float32)
            torch.addmm(offset, self.centred[part], matrix32, out=out[start:stop])
            start = stop
        return out
