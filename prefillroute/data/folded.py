"""Features, outcomes and row masks of all groups (the final fit and the folds)."""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from prefillroute.errors import UserError


@dataclass(frozen=True)
class FoldedData:
    """Group 0 is the final fit on all training rows; group k = 1..K leaves fold k out. Features differ by group,
    because scaler and PCA are refitted inside each.

    `features` (G, N, D) float32; `correct` (N, M) float32 in [0, 1], NaN = missing; `train` (G, N) bool; `valid` (G, N)
    bool, the part of each group's training rows on which its nets are stopped and ranked. A row in neither part is only
    predicted. `difficulty` (N,) float32 in [0, 1] is a judge's view of each query, NaN = not judged; None without a
    judge. `threshold` is the least outcome that counts as right in metrics that need right and wrong (AUC, difficulty
    classes).

    Raises:
        UserError: shapes do not fit, a row is in both parts, a part is empty, or features are not finite.

    Example:
        >>> train = torch.tensor([[True, True, False]])
        >>> data = FoldedData(torch.zeros(1, 3, 2), torch.ones(3, 4), train, ~train)
        >>> data.num_groups, data.num_targets
        (1, 4)
    """

    features: Tensor
    correct: Tensor
    train: Tensor
    valid: Tensor
    difficulty: Tensor | None = None
    threshold: float = 0.5

    def __post_init__(self) -> None:
        groups, rows, _ = self.features.shape
        for name, shape in (
            ("correct", self.correct.shape[:1]),
            ("train", self.train.shape),
            ("valid", self.valid.shape),
        ):
            expected = (rows,) if name == "correct" else (groups, rows)
            if tuple(shape) != expected:
                raise UserError(f"data.{name}: expected shape {expected}, found {tuple(shape)}")
        if (self.train & self.valid).any():
            group = int((self.train & self.valid).any(1).nonzero()[0])
            raise UserError(
                f"data: expected no row in both the training and the validation part, found some in group {group}"
            )
        for name, part in (("training", self.train), ("validation", self.valid)):
            if not part.any(1).all():
                group = int((~part.any(1)).nonzero()[0])
                raise UserError(
                    f"data: expected at least one row in the {name} part of group {group}, found none"
                )
        if not torch.isfinite(self.features).all():
            group, row, column = (int(i) for i in (~torch.isfinite(self.features)).nonzero()[0])
            value = float(self.features[group, row, column])
            raise UserError(
                f"data: feature {column} of row {row} in group {group}: expected a finite number, found {value}"
            )

    @property
    def num_groups(self) -> int:
        """G."""
        return self.features.shape[0]

    @property
    def num_targets(self) -> int:
        """M."""
        return self.correct.shape[1]

    def to(self, device: torch.device | str) -> "FoldedData":
        """Return the same data on `device`, or self if it is already there."""
        if self.features.device == torch.device(device):
            return self
        moved: dict[str, Any] = {
            name: value.to(device) for name, value in vars(self).items() if isinstance(value, Tensor)
        }
        return replace(self, **moved)

    def fingerprint(self) -> str:
        """Hash outcomes, threshold, masks and shapes, but not features, whose last bit differs between machines."""
        digest = hashlib.sha256(repr((tuple(self.features.shape), self.threshold)).encode())
        for tensor in (self.correct, self.train, self.valid, self.difficulty):
            if tensor is None:
                continue
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]
