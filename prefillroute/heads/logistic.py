"""L2 logistic regression per target: how much the features say without a hidden layer."""

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from prefillroute.errors import UserError
from prefillroute.heads.contract import ClosedFormHead, NetStack
from prefillroute.heads.layout import Layout
from prefillroute.heads.logistic_solver import solve_logistic

C_GRID = (1e-6, 1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Ten candidates, as many as SharedTrunkNet has members to choose its best from."""


class LinearStack(NetStack):
    """`weight` (S, M, F), `bias` (S, M), `strength` (S, M) = the chosen C; F = columns that one target reads.

    With `own_features`, the last of the F columns are the target's own.
    """

    def __init__(
        self, num_nets: int, features_per_target: int, num_targets: int, own_features: int = 0
    ) -> None:
        super().__init__()
        self.own_features = own_features
        self.weight = nn.Parameter(
            torch.zeros(num_nets, num_targets, features_per_target), requires_grad=False
        )
        self.bias = nn.Parameter(torch.zeros(num_nets, num_targets), requires_grad=False)
        self.strength = nn.Parameter(torch.zeros(num_nets, num_targets), requires_grad=False)

    def forward(self, features: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Logits (S, B, M) of features (B, D)."""
        if not self.own_features:
            return features @ self.weight.transpose(1, 2) + self.bias[:, None, :]
        common = self.weight.shape[2] - self.own_features
        own = features[:, common:].reshape(len(features), -1, self.own_features)  # (B, M, own)
        logits = features[:, :common] @ self.weight[..., :common].transpose(1, 2) + self.bias[:, None, :]
        return logits + torch.einsum("bmf,smf->sbm", own, self.weight[..., common:])


class LogisticHead(ClosedFormHead):
    """One L2 logistic regression per target, whose C is chosen by log loss on the common validation part.

    A target's regression reads the common columns and its own.

    Args:
        c_grid: candidates for C in scikit-learn's sense (inverse of the penalty). The strongest penalty wins ties, and
            is also taken where the validation part has no outcomes of the target.
        standardise: scale columns to mean 0 and deviation 1 on the training rows before solving, so that the penalty
            acts on all of them alike; meant for signals whose columns have different units. The stored weights apply
            to the columns before scaling.

    Raises:
        UserError: the grid is empty or a C is not positive.

    Example:
        >>> x, correct = torch.tensor([[[-1.0], [-1.0], [1.0], [1.0]]]), torch.tensor([[0.0], [0.0], [1.0], [1.0]])
        >>> head = LogisticHead(Layout(width=1), num_targets=1).fit(x, correct, torch.ones(1, 4, dtype=torch.bool))
        >>> (head(x)[0, 0, :, 0] > 0).tolist()
        [False, False, True, True]
    """

    def __init__(
        self,
        layout: Layout,
        num_targets: int,
        num_groups: int = 1,
        num_members: int = 1,
        seed: int = 0,
        c_grid: Sequence[float] = C_GRID,
        standardise: bool = False,
    ) -> None:
        super().__init__(layout, num_targets, num_groups, num_members, seed)
        if not c_grid or min(c_grid) <= 0:
            raise UserError(f"head.c_grid: expected at least one C, all positive, found {list(c_grid)}")
        self.c_grid = tuple(sorted(c_grid))
        self.standardise = standardise
        self.groups.extend(
            LinearStack(num_members, self.features_per_target, num_targets, self.own_features)
            for _ in range(num_groups)
        )

    @property
    def fits_per_member(self) -> int:
        """One per target, although they are solved together."""
        return self.num_targets

    def fit(self, features: Tensor, correct: Tensor, train: Tensor, valid: Tensor | None = None) -> Self:
        """Solve all C of a group and all targets that share columns together, then take each target's best C."""
        for group in range(self.num_groups):
            fit_rows = train[group]
            choice_rows = torch.zeros_like(fit_rows) if valid is None else valid[group]
            x, y = features[group, fit_rows], correct[fit_rows]
            x_valid, y_valid = features[group, choice_rows], correct[choice_rows]
            if self.own_features:
                parts = [
                    self._solve(
                        self.target_features(x, target),
                        y[:, target, None],
                        self.target_features(x_valid, target),
                        y_valid[:, target, None],
                    )
                    for target in range(self.num_targets)
                ]
                weight, bias, strength = (torch.cat(part) for part in zip(*parts, strict=True))
            else:
                weight, bias, strength = self._solve(x, y, x_valid, y_valid)
            stack = self.stack(group)
            assert isinstance(stack, LinearStack)
            stack.weight.copy_(weight.expand_as(stack.weight))
            stack.bias.copy_(bias.expand_as(stack.bias))
            stack.strength.copy_(strength.expand_as(stack.strength))
        return self

    def _solve(
        self, features: Tensor, correct: Tensor, valid_features: Tensor, valid_correct: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Weight (T, F), bias (T,) and chosen C (T,) of T targets that read the same features (n, F)."""
        num_targets = correct.shape[1]
        strengths = features.new_tensor(self.c_grid).repeat_interleave(num_targets)  # (C * T,)
        outcome = correct.repeat(1, len(self.c_grid))  # (n, C * T)
        if self.standardise:
            mean, deviation = _moments(features)
            weight, bias = solve_logistic((features - mean) / deviation, outcome, 1 / strengths)
            weight = weight / deviation[:, None]
            bias = bias - mean @ weight
        else:
            weight, bias = solve_logistic(features, outcome, 1 / strengths)
        best = torch.zeros(num_targets, dtype=torch.int64)
        if len(valid_features):
            best = _masked_loss(valid_features @ weight + bias, valid_correct).argmin(0)
        targets = torch.arange(num_targets)
        chosen = best.to(targets.device) * num_targets + targets
        return weight[:, chosen].T, bias[chosen], strengths[chosen]


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (F,) of the columns of features (n, F); 1 for a column that is constant."""
    wide = features.double()
    mean, deviation = wide.mean(0), wide.std(0, correction=0)
    deviation = torch.where(deviation > 1e-7 * mean.abs(), deviation, 1.0)  # below it lies float32's rounding
    return mean.to(features.dtype), deviation.to(features.dtype)


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
