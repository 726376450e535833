"""Features, outcomes and row masks of all groups (the final fit and the folds)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
    predicted. `extras` (N,) float32 each are what the signal knows of the queries beside their features and the head's
    loss reads (`Head.reads_extras`), such as a judge's difficulty. `threshold` is the least outcome that counts as
    right where right and wrong are needed (AUC, difficulty classes).

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
    extras: Mapping[str, Tensor] = field(default_factory=dict)
    threshold: float = 0.5

    def __post_init__(self) -> None:
        groups, rows, _ = self.features.shape
        shapes = {
            "correct": (self.correct.shape[:1], (rows,)),
            "train": (self.train.shape, (groups, rows)),
            "valid": (self.valid.shape, (groups, rows)),
            **{f"extras.{name}": (values.shape, (rows,)) for name, values in self.extras.items()},
        }
        for name, (found, expected) in shapes.items():
            if tuple(found) != expected:
                raise UserError(f"data.{name}: expected shape {expected}, found {tuple(found)}")
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
        extras = {name: values.to(device) for name, values in self.extras.items()}
        return replace(self, **moved, extras=extras)

    def fingerprint(self) -> str:
        """Hash all but the features, of which the shape counts, because their last bit differs between machines."""
        names = sorted(self.extras)
        digest = hashlib.sha256(repr((tuple(self.features.shape), self.threshold, names)).encode())
        for tensor in (self.correct, self.train, self.valid, *(self.extras[name] for name in names)):
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]
