"""Two-stage tiered routing: how hard a query is, and how accurate each target is at that difficulty.

The paper (section 4.2) only names it among the architectures that brought no gain; the details are ours.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from prefillroute.errors import UserError
from prefillroute.heads.contract import ClosedFormHead, NetStack
from prefillroute.heads.layout import Layout
from prefillroute.heads.logits import bounded_logit, masked_bce
from prefillroute.heads.smoothed_accuracy import smoothed_accuracy


class TieredStack(NetStack):
    """`weight` (S, T, D) and `bias` (S, T) of a softmax over tiers; `accuracy` (S, T, M) of the targets in each tier.

    A tier without training rows has a bias of -inf; `strength` (S,) is the chosen C.
    """

    def __init__(self, num_nets: int, num_tiers: int, in_features: int, num_targets: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(num_nets, num_tiers, in_features), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(num_nets, num_tiers), requires_grad=False)
        self.accuracy = nn.Parameter(torch.full((num_nets, num_tiers, num_targets), 0.5), requires_grad=False)
        self.strength = nn.Parameter(torch.zeros(num_nets), requires_grad=False)

    def forward(self, features: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Logits (S, B, M) of features (B, D)."""
        tier = torch.softmax(features @ self.weight.transpose(1, 2) + self.bias[:, None], dim=2)  # (S, B, T)
        return bounded_logit(tier @ self.accuracy)


def difficulty_tiers(correct: np.ndarray, num_tiers: int) -> np.ndarray:
    """Tier (n,) int64 of each query, 0 = hardest, by the share of its observed outcomes (n, M) that are right.

    Tiers are of equal size as far as ties allow: queries with the same share are in one tier, that of their mean rank,
    so that a frequent share (all targets right) leaves its neighbours a tier of their own. Every row needs an outcome.

    Example:
        >>> difficulty_tiers(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]), num_tiers=3)
        array([0, 1, 2])
    """
    rank = rankdata(np.nanmean(correct, axis=1))  # 1 to n
    return np.floor(num_tiers * (rank - 0.5) / max(len(rank), 1)).astype(np.int64)


class TieredHead(ClosedFormHead):
    """p[q, m] = sum over tiers t of P(t | q) * accuracy of target m in t.

    Stage 1 is a multinomial L2 logistic regression of the training queries' tiers (`difficulty_tiers`); stage 2 each
    target's smoothed accuracy in a tier. A query only affects the targets through its difficulty, so whatever else it
    says about a single target is lost. All columns are read, whichever target they belong to.

    Args:
        num_tiers: T.
        c_grid: candidates for stage 1's C (scikit-learn's inverse of the penalty), chosen by the log loss of p on the
            validation part; the strongest penalty wins ties, and is also taken if there are no validation outcomes.
        smoothing: number of pseudo-outcomes at the target's overall accuracy that every tier starts with.

    Raises:
        UserError: a hyper-parameter is out of range.

    Example:
        >>> x, correct = torch.tensor([[[-1.0], [1.0]]]), torch.tensor([[0.0, 0.0], [1.0, 1.0]])
        >>> head = TieredHead(Layout(width=1), num_targets=2, num_tiers=2, c_grid=[1.0], smoothing=0.0)
        >>> (head.fit(x, correct, torch.ones(1, 2, dtype=torch.bool))(x)[0, 0, :, 0] > 0).tolist()
        [False, True]
    """

    def __init__(
        self,
        layout: Layout,
        num_targets: int,
        num_groups: int = 1,
        num_members: int = 1,
        seed: int = 0,
        num_tiers: int = 3,
        c_grid: Sequence[float] = (1e-4, 1e-3, 1e-2, 1e-1),
        smoothing: float = 10.0,
    ) -> None:
        super().__init__(layout, num_targets, num_groups, num_members, seed)
        if num_tiers < 2:
            raise UserError(f"head.num_tiers: expected at least 2, found {num_tiers}")
        if not c_grid or min(c_grid) <= 0:
            raise UserError(f"head.c_grid: expected at least one C, all positive, found {list(c_grid)}")
        if smoothing < 0:
            raise UserError(f"head.smoothing: expected 0 or more, found {smoothing}")
        self.num_tiers = num_tiers
        self.c_grid = tuple(sorted(c_grid))
        self.smoothing = smoothing
        self.groups.extend(
            TieredStack(num_members, num_tiers, layout.width, num_targets) for _ in range(num_groups)
        )

    def fit(self, features: Tensor, correct: Tensor, train: Tensor, valid: Tensor | None = None) -> Self:
        """Sort each group's training queries into tiers, learn to predict the tiers, and count outcomes."""
        for group in range(self.num_groups):
            known = train[group] & ~correct.isnan().all(dim=1)
            x, y = features[group, known], correct[known]
            tier = difficulty_tiers(y.numpy(), self.num_tiers)
            accuracy = smoothed_accuracy(torch.from_numpy(tier), y, self.num_tiers, self.smoothing)
            candidates = [self._net(x, tier, accuracy, c) for c in self.c_grid]
            best = candidates[0]
            if valid is not None:
                x_valid, y_valid = features[group, valid[group]], correct[valid[group]]
                losses = [float(masked_bce(stack(x_valid), y_valid)[0]) for stack in candidates]
                best = candidates[int(np.argmin(losses))]
            for key, tensor in self.stack(group).state_dict().items():
                tensor.copy_(best.state_dict()[key])
        return self

    def _net(self, features: Tensor, tier: np.ndarray, accuracy: Tensor, c: float) -> TieredStack:
        """One net for features (n, D) of tiers (n,)."""
        stack = TieredStack(1, self.num_tiers, self.in_features, self.num_targets)
        stack.accuracy[0] = accuracy
        stack.strength[0] = c
        present = np.unique(tier)
        if not len(present):
            return stack
        stack.bias[0] = -torch.inf
        stack.bias[0, present] = 0.0
        if len(present) == 1:
            return stack
        model = LogisticRegression(C=c, tol=1e-6, max_iter=5000).fit(features.double().numpy(), tier)
        weight, bias = torch.from_numpy(model.coef_), torch.from_numpy(model.intercept_)
        if len(present) == 2:  # scikit-learn keeps the log odds of the second
            present = present[1:]
        stack.weight[0, present] = weight.to(stack.weight.dtype)
        stack.bias[0, present] = bias.to(stack.bias.dtype)
        return stack
