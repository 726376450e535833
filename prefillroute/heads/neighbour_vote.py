"""The paper's rule-based kNN routers (section 4.2): the confidence is a share of neighbours; nothing is learned."""

import re
from typing import Self

import torch
from torch import Tensor

from prefillroute.errors import UserError
from prefillroute.heads.contract import ClosedFormHead, NetStack
from prefillroute.heads.layout import Layout
from prefillroute.heads.logits import bounded_logit


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
        column: name of the column to read, such as `ratio_k25` for the share of a majority vote or `weighted_k25` for
            the distance-weighted score; its name ends in k.

    Raises:
        UserError: the signal has no such column, its name does not end in k, or it does not hold shares.

    Example:
        >>> head = NeighbourVote(Layout(width=2, own=("ratio_k25",)), num_targets=2)
        >>> head(torch.tensor([[[0.5, 1.0]]])).sigmoid()[0, 0, 0]  # at most 26 of 27
        tensor([0.5000, 0.9630])
    """

    def __init__(
        self,
        layout: Layout,
        num_targets: int,
        num_groups: int = 1,
        num_members: int = 1,
        seed: int = 0,
        column: str = "ratio_k25",
    ) -> None:
        self.column = column  # before the layout is checked: `accepts` reads it
        super().__init__(layout, num_targets, num_groups, num_members, seed)
        size = re.search(r"_k(\d+)$", column)
        if size is None:
            raise UserError(
                f"head.column: expected a share of k neighbours, such as ratio_k25, found '{column}'"
            )
        first = layout.common(num_targets) + layout.own.index(column)
        columns = first + len(layout.own) * torch.arange(num_targets)
        self.groups.extend(VoteStack(num_members, columns, int(size[1])) for _ in range(num_groups))

    def accepts(self, layout: Layout) -> None:
        """Each target needs a column of that name.

        Raises:
            UserError: it has none.
        """
        super().accepts(layout)
        if self.column not in layout.own:
            expected = f"a column '{self.column}' for each target"
            others = f", or set head.column to one of {', '.join(layout.own)}" if layout.own else ""
            raise self.misfit(expected, ", ".join(layout.own) or "none", f"use signal=knn{others}")

    def fit(self, features: Tensor, correct: Tensor, train: Tensor, valid: Tensor | None = None) -> Self:
        """Check that the column holds shares; nothing is learned, because the signal has found the neighbours."""
        for group in range(self.num_groups):
            stack = self.stack(group)
            assert isinstance(stack, VoteStack)
            share = features[group, train[group]][:, stack.column[0]]
            low, high = float(share.min()), float(share.max())
            if low < -1e-6 or high > 1 + 1e-6:
                raise UserError(
                    f"head.column: expected shares in [0, 1], found values from {low:g} to {high:g} in '{self.column}'"
                )
        return self
