"""Products of query and target vectors in a low-dimensional space: the router of RouteLLM and EmbedLLM on any features.

RouteLLM (Ong et al. 2024) learns from pairwise preferences, where only differences between targets count: it has no
biases and normalises v_m. EmbedLLM (Zhuang et al. 2024) learns correctness, as here, with a bias in the projection.
Here each target also has a bias of its own, so that its overall accuracy does not take up a dimension.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from prefillroute.errors import UserError
from prefillroute.heads.contract import Head, NetStack
from prefillroute.heads.layout import Layout
from prefillroute.heads.stacked import StackedLinear
from prefillroute.seeds import seeded_generator

# S = nets, B = rows, D = features, M = targets, R = rank


class FactorStack(NetStack):
    """`projection` D to R with a bias; `target` (S, M, R), `weight` (S, 1, R), `bias` (S, M, 1)."""

    def __init__(
        self, generators: Sequence[torch.Generator], in_features: int, num_targets: int, rank: int
    ) -> None:
        super().__init__()
        nets = len(generators)
        self.projection = StackedLinear(generators, in_features, rank)
        self.target = nn.Parameter(torch.empty(nets, num_targets, rank))
        self.weight = nn.Parameter(torch.empty(nets, 1, rank))
        self.bias = nn.Parameter(torch.zeros(nets, num_targets, 1))
        bound = 1 / math.sqrt(rank)
        with torch.no_grad():
            for net, generator in enumerate(generators):
                self.target[net].normal_(generator=generator)  # as torch.nn.Embedding
                self.weight[net].uniform_(-bound, bound, generator=generator)  # as torch.nn.Linear

    def forward(self, features: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Logits (S, B, M) of features (B, D)."""
        query = self.projection(features.T)  # (S, R, B)
        return torch.baddbmm(self.bias, self.target * self.weight, query).transpose(1, 2)


class MatrixFactorisation(Head):
    """logit_m(x) = w . (v_m * (W x + c)) + bias_m, with W x + c and v_m in R^rank.

    Args:
        rank: R; EmbedLLM's is 232, RouteLLM's 128. Above the number of targets it no longer restricts the logits.

    Raises:
        UserError: a rank below 1.

    Example:
        >>> head = MatrixFactorisation(Layout(width=8), num_targets=3, rank=2)
        >>> head(torch.zeros(1, 4, 8)).shape  # groups, members, queries, targets
        torch.Size([1, 1, 4, 3])
    """

    joint = True

    def __init__(
        self,
        layout: Layout,
        num_targets: int,
        num_groups: int = 1,
        num_members: int = 1,
        seed: int = 0,
        rank: int = 128,
    ) -> None:
        super().__init__(layout, num_targets, num_groups, num_members, seed)
        if rank < 1:
            raise UserError(f"head.rank: expected at least 1, found {rank}")
        self.rank = rank
        for group in range(num_groups):
            generators = [seeded_generator(seed, "init", group, member) for member in range(num_members)]
            self.groups.append(FactorStack(generators, layout.width, num_targets, rank))
