"""Smoothed accuracy of each target in each category: all that a router without an encoder can know."""

from typing import Self

import torch
from torch import Tensor, nn

from prefillroute.errors import UserError
from prefillroute.heads.contract import ClosedFormHead, NetStack
from prefillroute.heads.layout import LABELS, Layout
from prefillroute.heads.logits import bounded_logit


class PriorStack(NetStack):
    """`base` (S, M) is the mean outcome; `lift` (S, C, M) is what each category adds to it."""

    def __init__(self, num_nets: int, num_categories: int, num_targets: int) -> None:
        super().__init__()
        self.base = nn.Parameter(torch.full((num_nets, num_targets), 0.5), requires_grad=False)
        self.lift = nn.Parameter(torch.zeros(num_nets, num_categories, num_targets), requires_grad=False)

    def forward(self, features: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Logits (S, B, M) of one-hot features (B, C); a row of zeros (unknown category) gets `base`."""
        return bounded_logit(self.base[:, None, :] + features @ self.lift)


class CategoryPriorHead(ClosedFormHead):
    """p[c, m] = (correct answers of m in c + smoothing * accuracy of m) / (queries of c + smoothing).

    Args:
        smoothing: number of pseudo-queries at the target's overall accuracy that every category starts with.

    Raises:
        UserError: the smoothing is negative, or features are not one-hot (the signal is not `category`).

    Example:
        >>> head = CategoryPriorHead(Layout(width=1, content=LABELS), num_targets=1, smoothing=0.0)
        >>> x, correct = torch.ones(1, 4, 1), torch.tensor([[1.0], [1.0], [0.0], [0.0]])
        >>> head.fit(x, correct, torch.ones(1, 4, dtype=torch.bool))(x)[0, 0, 0].tolist()
        [0.0]
    """

    reads = (LABELS,)
    wanted_signal = "signal=category or signal=benchmark"

    def __init__(
        self,
        layout: Layout,
        num_targets: int,
        num_groups: int = 1,
        num_members: int = 1,
        seed: int = 0,
        smoothing: float = 10.0,
    ) -> None:
        super().__init__(layout, num_targets, num_groups, num_members, seed)
        if smoothing < 0:
            raise UserError(f"head.smoothing: expected 0 or more, found {smoothing}")
        self.smoothing = smoothing
        self.groups.extend(PriorStack(num_members, layout.width, num_targets) for _ in range(num_groups))

    def fit(self, features: Tensor, correct: Tensor, train: Tensor, valid: Tensor | None = None) -> Self:
        """Count outcomes per category in each group's training rows; `valid` is not used."""
        for group in range(self.num_groups):
            onehot = features[group, train[group]].double()  # (n, C)
            if not torch.isin(onehot, onehot.new_tensor([0.0, 1.0])).all() or (onehot.sum(dim=1) > 1).any():
                raise UserError(
                    "head=category_prior: expected one-hot features, found others; use signal=category"
                )
            outcome = correct[train[group]].double()  # (n, M)
            seen = (~outcome.isnan()).double()
            base = torch.nanmean(outcome, dim=0).nan_to_num(0.5)  # (M,)
            hits = onehot.T @ outcome.nan_to_num(0.0)  # (C, M)
            count = onehot.T @ seen
            prior = (hits + self.smoothing * base) / (count + self.smoothing)
            stack = self.stack(group)
            assert isinstance(stack, PriorStack)
            stack.base.copy_(base.expand_as(stack.base))
            stack.lift.copy_(
                (prior.nan_to_num(0.0) - base).where(count + self.smoothing > 0, 0.0).expand_as(stack.lift)
            )
        return self
