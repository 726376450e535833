"""Multidimensional item response theory on features: queries are the items, targets those who answer (section 4.2).

The paper's equation did not survive the extraction of its text. This is the compensatory model with two
parameters per item and dimension (MIRT-2PL; Embretson and Reise 2000): P = sigmoid(sum_d a_d(q) * (theta_md -
b_d(q))). Strength in one dimension makes up for weakness in another.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from prefillroute.errors import UserError
from prefillroute.heads.contract import Head
from prefillroute.heads.layout import Layout
from prefillroute.heads.stacked import StackedMLP, hidden_rates
from prefillroute.seeds import seeded_generator

# S = nets, B = rows, M = targets, L = latent dimensions


class MIRTStack(StackedMLP):
    """A trunk with 2L outputs, the query's difficulties and raw discriminations; `ability` (S, M, L)."""

    def __init__(
        self,
        generators: Sequence[torch.Generator],
        in_features: int,
        num_targets: int,
        dim: int,
        hidden: Sequence[int],
        dropout: Sequence[float],
    ) -> None:
        super().__init__(generators, in_features, hidden, dropout, 2 * dim)
        self.dim = dim
        self.ability = nn.Parameter(torch.empty(len(generators), num_targets, dim))
        bound = 3**0.5 / dim**0.5  # variance 1 / L: targets differ by as much whatever L is
        with torch.no_grad():
            for net, generator in enumerate(generators):
                self.ability[net].uniform_(-bound, bound, generator=generator)

    def item(self, features: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Difficulty b and discrimination a > 0 of features (B, D), each (S, L, B)."""
        outputs = super().forward(features, generator).transpose(1, 2)
        return outputs[:, : self.dim], softplus(outputs[:, self.dim :])

    def forward(self, features: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Logits (S, B, M) of features (B, D)."""
        difficulty, discrimination = self.item(features, generator)
        threshold = (discrimination * difficulty).sum(dim=1, keepdim=True)  # (S, 1, B)
        return torch.baddbmm(threshold, self.ability, discrimination, beta=-1).transpose(1, 2)


class MIRTHead(Head):
    """X_mirt_2PL: a trunk maps the query to b and a = softplus(.) in R^L; every target has an ability in R^L.

    Args:
        dim: L; the paper's X_mirt_2PL_D10 has 10.
        hidden: widths of the trunk; with none, b and softplus^-1(a) are linear in the features.
        dropout: one rate per hidden layer, or one number for all of them; rounded to the nearest 1/256.

    Raises:
        UserError: a dimension, width or rate is out of range.

    Example:
        >>> head = MIRTHead(Layout(width=8), num_targets=3, dim=2)
        >>> difficulty, discrimination = head.stack(0).item(torch.zeros(4, 8))
        >>> difficulty.shape, bool((discrimination > 0).all())
        (torch.Size([1, 2, 4]), True)
    """

    joint = True

    def __init__(
        self,
        layout: Layout,
        num_targets: int,
        num_groups: int = 1,
        num_members: int = 1,
        seed: int = 0,
        dim: int = 10,
        hidden: Sequence[int] = (128,),
        dropout: float | Sequence[float] = (0.3,),
    ) -> None:
        super().__init__(layout, num_targets, num_groups, num_members, seed)
        if dim < 1:
            raise UserError(f"head.dim: expected at least 1, found {dim}")
        self.dim = dim
        self.hidden = tuple(hidden)
        self.dropout = hidden_rates(hidden, dropout) if hidden or dropout else ()
        for group in range(num_groups):
            generators = [seeded_generator(seed, "init", group, member) for member in range(num_members)]
            self.groups.append(
                MIRTStack(generators, layout.width, num_targets, dim, self.hidden, self.dropout)
            )
