"""A cascade from the cheapest target up, as a confidence table (in the manner of FrugalGPT, arXiv 2305.05176)."""

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor

from prefillroute.errors import UserError
from prefillroute.heads.contract import ClosedFormHead, NetStack
from prefillroute.heads.layout import Layout
from prefillroute.heads.logistic import C_GRID, LinearStack, LogisticHead


class CappedStack(NetStack):
    """Logits of `base`, capped at the logit of `accept`."""

    def __init__(self, base: LinearStack, accept: float) -> None:
        super().__init__()
        self.base = base
        self.cap = float(torch.logit(torch.tensor(accept, dtype=torch.float64)))

    def forward(self, features: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Logits (S, B, M) of features (B, D)."""
        return self.base(features).clamp(max=self.cap)


class CascadeHead(ClosedFormHead):
    """Goes up from the cheapest target and stops at the first whose confidence reaches `accept`.

    Confidences are those of `LogisticHead`, capped: p[q, m] = min(base p[q, m], accept). All targets that reach
    `accept` tie, to the bit, and ties go to the cheaper target (DESIGN section 5), so lambda = 0 chooses the cheapest
    target that is confident enough, or the most confident one where none is: exactly the cascade. lambda > 0 gives up
    confidence below `accept` for cost.

    Only calibration=none preserves the ties: the other calibrators map every target differently, after which this is a
    logistic regression with capped confidences.

    Unlike in FrugalGPT, no target is asked before the choice is made: the confidence rests on the query, not on an
    answer.

    Args:
        accept: in (0, 1).
        c_grid, standardise: as for `LogisticHead`.

    Raises:
        UserError: `accept` is out of range, or `c_grid` is invalid.

    Example:
        >>> x, correct = torch.tensor([[[-1.0], [1.0]]]), torch.tensor([[1.0], [1.0]])
        >>> head = CascadeHead(Layout(width=1), num_targets=1, accept=0.75)
        >>> head.fit(x, correct, torch.ones(1, 2, dtype=torch.bool))(x).sigmoid().flatten()
        tensor([0.7500, 0.7500])
    """

    def __init__(
        self,
        layout: Layout,
        num_targets: int,
        num_groups: int = 1,
        num_members: int = 1,
        seed: int = 0,
        accept: float = 0.6,
        c_grid: Sequence[float] = C_GRID,
        standardise: bool = False,
    ) -> None:
        super().__init__(layout, num_targets, num_groups, num_members, seed)
        if not 0 < accept < 1:
            raise UserError(f"head.accept: expected a probability between 0 and 1, found {accept}")
        self.accept = accept
        self.c_grid = tuple(sorted(c_grid))
        self.standardise = standardise
        base = self._logistic()
        for group in range(num_groups):
            stack = base.stack(group)
            assert isinstance(stack, LinearStack)
            self.groups.append(CappedStack(stack, accept))

    @property
    def fits_per_member(self) -> int:
        """One per target, although they are solved together."""
        return self.num_targets

    def fit(self, features: Tensor, correct: Tensor, train: Tensor, valid: Tensor | None = None) -> Self:
        """Fit a `LogisticHead` and copy its weights."""
        base = self._logistic().fit(features, correct, train, valid)
        for group in range(self.num_groups):
            stack = self.stack(group)
            assert isinstance(stack, CappedStack)
            stack.base.load_state_dict(base.stack(group).state_dict())
        return self

    def _logistic(self) -> LogisticHead:
        return LogisticHead(
            self.layout,
            self.num_targets,
            self.num_groups,
            self.num_members,
            self.seed,
            self.c_grid,
            self.standardise,
        )
