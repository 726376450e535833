"""The paper's rule-based kNN routers (section 4.2): a share of neighbours as the confidence, nothing learned."""

import re
from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import Tensor

from prefillroute.errors import UserError
from prefillroute.heads.constant import bounded_logit
from prefillroute.heads.contract import ClosedFormHead, NetStack


class VoteStack(NetStack):
    """`column` (S, M) int64, the column of the features that is each target's share."""

    column: Tensor

    def __init__(self, num_nets: int, column: Tensor, num_neighbours: int) -> None:
        super().__init__()
        self.bound = 1 / (num_neighbours + 2)
        self.register_buffer("column", column.repeat(num_nets, 1))

    def forward(self, features: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Logits (S, B, M) of features (B, D)."""
        return bounded_logit(features[:, self.column].transpose(0, 1), self.bound)


class NeighbourVote(ClosedFormHead):
    """p[q, m] = share of q's k nearest training queries that target m got right, read from signal=knn.

    The share is bounded to [1 / (k + 2), 1 - 1 / (k + 2)], the rule of succession for a unanimous vote, so that its
    logit is finite; any other share of k equal votes is left as it is.

    Args:
        own_features: columns of each target.
        own_names: what they are.
        column: the one to read, `ratio_k25` for a majority vote's share, `weighted_k25` for the distance-weighted
            score; k is the number it ends in.

    Raises:
        UserError: the signal has no such column, or it is not named for its neighbourhood, or holds no shares.
    """

    def __init__(
        self,
        in_features: int,
        num_targets: int,
        num_groups: int = 1,
        num_members: int = 1,
        seed: int = 0,
        own_features: int = 0,
        own_names: Sequence[str] = (),
        column: str = "ratio_k25",
    ) -> None:
        super().__init__(in_features, num_targets, num_groups, num_members, seed, own_features)
        assert len(own_names) == own_features, (len(own_names), own_features)
        if column not in own_names:
            choice = f" and one of {', '.join(own_names)}" if own_names else ""
            raise UserError(
                f"head.column is '{column}', which this signal does not have; want signal=knn{choice}"
            )
        size = re.search(r"_k(\d+)$", column)
        if size is None:
            raise UserError(f"head.column is '{column}', want a share of k neighbours, such as ratio_k25")
        self.own_names = tuple(own_names)
        self.column = column
        first = in_features - num_targets * own_features + self.own_names.index(column)
        columns = first + own_features * torch.arange(num_targets)
        self.groups.extend(VoteStack(num_members, columns, int(size[1])) for _ in range(num_groups))

    def hyper(self) -> dict[str, Any]:
        """`own_features`, `own_names` and `column`."""
        return {
            "own_features": self.own_features,
            "own_names": list(self.own_names),
            "column": self.column,
        }

    def fit(self, features: Tensor, correct: Tensor, train: Tensor, valid: Tensor | None = None) -> Self:
        """Check that the column holds shares; nothing is learned here, the neighbours are the signal's."""
        for group in range(self.num_groups):
            stack = self.stack(group)
            assert isinstance(stack, VoteStack)
            share = features[group, train[group]][:, stack.column[0]]
            low, high = float(share.min()), float(share.max())
            if low < -1e-6 or high > 1 + 1e-6:
                raise UserError(
                    f"head.column '{self.column}' has values from {low:g} to {high:g}, want shares in [0, 1]"
                )
        return self
