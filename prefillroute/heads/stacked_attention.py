"""Graph attention layers of many small nets in one stack (Velickovic et al. 2018).

S nets, H attention heads of width W, B graphs of n nodes, C input columns of a node. Every graph is complete and
directed, self loops included. Values are kept features-major, (S, C, B, n), as in `heads.stacked`.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import elu, leaky_relu

from prefillroute.heads.contract import NetStack
from prefillroute.heads.stacked import StackedLinear, relu_dropout

NEGATIVE_SLOPE = 0.2
"""Slope of the leaky ReLU on attention scores, as published."""


class StackedGraphAttention(nn.Module):
    """S graph attention layers: node i becomes, head by head, sum_j alpha_ij W x_j + b, with alpha_ij the softmax
    over j of LeakyReLU(to . W x_i + from . W x_j).

    `weight` (S, H, W, C), `score` (S, H, 2, W) with the rows `to` and `from`, `bias` (S, H * W). Initialised as
    ``torch_geometric.nn.GATConv`` is: Glorot, bias 0.
    """

    def __init__(
        self, generators: Sequence[torch.Generator], in_features: int, num_heads: int, width: int
    ) -> None:
        super().__init__()
        nets = len(generators)
        self.weight = nn.Parameter(torch.empty(nets, num_heads, width, in_features))
        self.score = nn.Parameter(torch.empty(nets, num_heads, 2, width))
        self.bias = nn.Parameter(torch.zeros(nets, num_heads * width))
        weight_bound = math.sqrt(6 / (in_features + num_heads * width))
        score_bound = math.sqrt(6 / (num_heads + width))
        with torch.no_grad():
            for net, generator in enumerate(generators):
                self.weight[net].uniform_(-weight_bound, weight_bound, generator=generator)
                self.score[net].uniform_(-score_bound, score_bound, generator=generator)

    def forward(self, nodes: Tensor) -> Tensor:
        """Every node (S, H * W, B, n), from nodes (C, B, n) that all nets share."""
        nets, heads, width, columns = self.weight.shape
        _, graphs, size = nodes.shape
        values = self.weight.view(-1, columns) @ nodes.reshape(columns, graphs * size)
        values = values.view(nets, heads, width, graphs * size)
        scores = (self.score @ values).view(nets, heads, 2, graphs, size)
        to, source = scores.unbind(2)
        alpha = leaky_relu(to[..., :, None] + source[..., None, :], NEGATIVE_SLOPE).softmax(-1)  # (S,H,B,i,j)
        by_graph = values.view(nets, heads, width, graphs, size).transpose(2, 3)  # (S, H, B, W, j)
        mixed = (by_graph @ alpha.transpose(3, 4)).transpose(2, 3)  # (S, H, W, B, i)
        return mixed.reshape(nets, heads * width, graphs, size) + self.bias[..., None, None]

    def first_node(self, nodes: Tensor) -> Tensor:
        """Node 0 alone (S, H * W, B), from nodes (S, C, B, n) of each net.

        Means are taken before the linear map, which commutes with them: one product per graph, not n.
        """
        nets, heads, width, columns = self.weight.shape
        _, _, graphs, size = nodes.shape
        to, source = (self.score @ self.weight).unbind(2)  # (S, H, C) each
        scores = (source @ nodes.reshape(nets, columns, graphs * size)).view(nets, heads, graphs, size)
        scores = scores + (to @ nodes[..., 0])[..., None]
        alpha = leaky_relu(scores, NEGATIVE_SLOPE).softmax(-1)  # (S, H, B, n)
        mean = (alpha.unsqueeze(2) * nodes.unsqueeze(1)).sum(-1)  # (S, H, C, B)
        return (self.weight @ mean).view(nets, heads * width, graphs) + self.bias[..., None]


class StackedGraphNet(NetStack):
    """S nets: attention, ELU, dropout; attention at node 0 by one head as wide as the first layer's heads together,
    ELU, dropout; then a linear map of that and of node 0's input to O outputs.
    """

    def __init__(
        self,
        generators: Sequence[torch.Generator],
        num_nodes: int,
        node_features: int,
        num_heads: int,
        width: int,
        dropout: float,
        out_features: int,
    ) -> None:
        super().__init__()
        self.num_nodes, self.dropout = num_nodes, dropout
        hidden = num_heads * width
        self.nodes = StackedGraphAttention(generators, node_features, num_heads, width)
        self.query = StackedGraphAttention(generators, hidden, 1, hidden)
        self.readout = StackedLinear(generators, hidden + node_features, out_features)

    def forward(self, features: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Outputs (S, B, O) of features (B, n * F), node after node."""
        inputs = features.reshape(len(features), self.num_nodes, -1).permute(2, 0, 1)  # (F, B, n)
        hidden = self._drop(elu(self.nodes(inputs)), generator)  # (S, H * W, B, n)
        query = self._drop(elu(self.query.first_node(hidden)), generator)  # (S, H * W, B)
        own = inputs[None, :, :, 0].expand(len(query), -1, -1)
        return self.readout(torch.cat([query, own], dim=1)).transpose(1, 2)

    def _drop(self, hidden: Tensor, generator: torch.Generator | None) -> Tensor:
        if not self.training or not self.dropout:
            return hidden
        return hidden * relu_dropout(torch.ones_like(hidden), self.dropout, generator)
