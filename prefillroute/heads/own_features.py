"""Stacked perceptrons that each read their own columns: one net per target on a per-target signal."""

from collections.abc import Sequence

import torch
from torch import Tensor

from prefillroute.heads.stacked import StackedMLP

# S = nets, B = rows, D = features, M = targets


class OwnFeaturesMLP(StackedMLP):
    """A `StackedMLP` whose net s reads the common columns and those of its target `target[s]`.

    Args:
        generators: one per net, for its initial weights.
        targets: (S,) target of each net.
        num_targets, own_features: M, and how many of the last M * own_features columns each target has.
        in_features: D.
        hidden, dropout, out_features: as for `StackedMLP`.
    """

    target: Tensor

    def __init__(
        self,
        generators: Sequence[torch.Generator],
        targets: Sequence[int],
        num_targets: int,
        own_features: int,
        in_features: int,
        hidden: Sequence[int],
        dropout: Sequence[float],
        out_features: int,
    ) -> None:
        self.common = in_features - num_targets * own_features
        super().__init__(generators, self.common + own_features, hidden, dropout, out_features)
        self.num_targets, self.own_features = num_targets, own_features
        # A buffer, so that it shrinks and is restored with the nets.
        self.register_buffer("target", torch.as_tensor(targets, dtype=torch.int64))

    def inputs(self, features: Tensor) -> Tensor:
        """(S, common + own, B) of features (B, D)."""
        own = features[:, self.common :].T.reshape(self.num_targets, self.own_features, -1)[self.target]
        common = features[:, : self.common].T.expand(len(own), -1, -1)
        return torch.cat([common, own], dim=1)
