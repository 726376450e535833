"""Per-target L2 logistic regression: what the features say without a hidden layer."""

from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from prefillroute.errors import UserError
from prefillroute.heads.contract import ClosedFormHead, NetStack
from prefillroute.heads.logistic_solver import solve_logistic

C_GRID = (1e-6, 1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Ten candidates, as many as SharedTrunkNet has members to choose its best from."""


class LinearStack(NetStack):
    """`weight` (S, M, D), `bias` (S, M), `strength` (S, M) = the chosen C."""

    def __init__(self, num_nets: int, in_features: int, num_targets: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(num_nets, num_targets, in_features), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(num_nets, num_targets), requires_grad=False)
        self.strength = nn.Parameter(torch.zeros(num_nets, num_targets), requires_grad=False)

    def forward(self, features: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Logits (S, B, M) of features (B, D)."""
        return features @ self.weight.transpose(1, 2) + self.bias[:, None, :]


class LogisticHead(ClosedFormHead):
    """One L2 logistic regression per target; C per target by log loss on the common validation part.

    Args:
        c_grid: candidates for C in scikit-learn's sense (inverse of the penalty); the strongest penalty wins
            ties, and the whole choice where there is no validation part with outcomes of the target.

    Raises:
        UserError: an empty grid or a C that is not positive.
    """

    def __init__(
        self,
        in_features: int,
        num_targets: int,
        num_groups: int = 1,
        num_members: int = 1,
        seed: int = 0,
        c_grid: Sequence[float] = C_GRID,
    ) -> None:
        super().__init__(in_features, num_targets, num_groups, num_members, seed)
        if not c_grid or min(c_grid) <= 0:
            raise UserError(f"head=logistic: c_grid is {list(c_grid)}, want at least one C, all positive")
        self.c_grid = tuple(sorted(c_grid))
        self.groups.extend(LinearStack(num_members, in_features, num_targets) for _ in range(num_groups))

    def hyper(self) -> dict[str, Any]:
        """`c_grid` as a list."""
        return {"c_grid": list(self.c_grid)}

    def fit(self, features: Tensor, correct: Tensor, train: Tensor, valid: Tensor | None = None) -> Self:
        """Solve all targets and all C of a group together, then take each target's best."""
        strengths = features.new_tensor(self.c_grid).repeat_interleave(self.num_targets)  # (C * M,)
        targets = torch.arange(self.num_targets)
        for group in range(self.num_groups):
            outcome = correct[train[group]].repeat(1, len(self.c_grid))  # (n, C * M)
            weight, bias = solve_logistic(features[group, train[group]], outcome, 1 / strengths)
            best = torch.zeros(self.num_targets, dtype=torch.int64)
            if valid is not None and valid[group].any():
                logits = features[group, valid[group]] @ weight + bias
                best = _masked_loss(logits, correct[valid[group]]).argmin(0)
            chosen = best.to(targets.device) * self.num_targets + targets
            stack = self.stack(group)
            assert isinstance(stack, LinearStack)
            stack.weight.copy_(weight[:, chosen].T.expand_as(stack.weight))
            stack.bias.copy_(bias[chosen].expand_as(stack.bias))
            stack.strength.copy_(strengths[chosen].expand_as(stack.strength))
        return self


def _masked_loss(logits: Tensor, correct: Tensor) -> Tensor:
    """Mean log loss (C, M) of logits (n, C * M) against outcomes (n, M) with NaN = missing."""
    rows, targets = correct.shape
    outcome = correct.to(logits.dtype)[:, None, :].expand(rows, -1, targets)
    logits = logits.reshape(rows, -1, targets)
    seen = ~outcome.isnan().expand_as(logits)
    loss = binary_cross_entropy_with_logits(
        logits, outcome.nan_to_num(0.0).expand_as(logits), weight=seen.to(logits.dtype), reduction="none"
    )
    return loss.sum(0) / seen.sum(0).clamp(min=1)
