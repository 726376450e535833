"""The constant predictor, the "no skill" baseline (DESIGN section 5)."""

from typing import Self

import torch
from torch import Tensor, nn

from prefillroute.heads.contract import ClosedFormHead, NetStack
from prefillroute.heads.layout import Layout
from prefillroute.heads.logits import bounded_logit


class ConstantStack(NetStack):
    """`logit` (S, M), the same for every row."""

    def __init__(self, num_nets: int, num_targets: int) -> None:
        super().__init__()
        self.logit = nn.Parameter(torch.zeros(num_nets, num_targets), requires_grad=False)

    def forward(self, features: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Logits (S, B, M), whatever the features (B, D)."""
        return self.logit[:, None, :].expand(-1, features.shape[0], -1)


class ConstantHead(ClosedFormHead):
    """Predicts the mean outcome of the training rows, or 0.5 for a target without outcomes.

    Example:
        >>> head = ConstantHead(Layout(width=2), num_targets=1)
        >>> x, correct = torch.zeros(1, 4, 2), torch.tensor([[1.0], [1.0], [0.0], [0.0]])
        >>> head.fit(x, correct, torch.ones(1, 4, dtype=torch.bool))(x)[0, 0, 0].tolist()
        [0.0]
    """

    def __init__(
        self, layout: Layout, num_targets: int, num_groups: int = 1, num_members: int = 1, seed: int = 0
    ) -> None:
        super().__init__(layout, num_targets, num_groups, num_members, seed)
        self.groups.extend(ConstantStack(num_members, num_targets) for _ in range(num_groups))

    def fit(self, features: Tensor, correct: Tensor, train: Tensor, valid: Tensor | None = None) -> Self:
        """Set each group's logit from its training rows; `features` and `valid` are not used."""
        for group in range(self.num_groups):
            mean = torch.nanmean(correct[train[group]].double(), dim=0)  # (M,), NaN without an outcome
            stack = self.stack(group)
            assert isinstance(stack, ConstantStack)
            stack.logit.copy_(bounded_logit(mean.nan_to_num(0.5)).expand_as(stack.logit))
        return self
