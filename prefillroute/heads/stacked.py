"""Many small multilayer perceptrons in one stack, laid out for few, large matrix products.

Hidden values are kept features-major, (S, H, B): with that, the first layer of all nets of a group is one
product (S*H, D) x (D, B), because they share the minibatch, and every later layer one batched product of
contiguous blocks.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from prefillroute.errors import UserError
from prefillroute.heads.contract import NetStack


class StackedLinear(nn.Module):
    """S affine maps: `weight` (S, out, in), `bias` (S, out, 1). Initialised as ``torch.nn.Linear`` is."""

    def __init__(self, generators: Sequence[torch.Generator], in_features: int, out_features: int) -> None:
        super().__init__()
        nets = len(generators)
        self.weight = nn.Parameter(torch.empty(nets, out_features, in_features))
        self.bias = nn.Parameter(torch.empty(nets, out_features, 1))
        bound = 1 / math.sqrt(in_features)
        with torch.no_grad():
            for net, generator in enumerate(generators):
                self.weight[net].uniform_(-bound, bound, generator=generator)
                self.bias[net].uniform_(-bound, bound, generator=generator)

    def forward(self, inputs: Tensor) -> Tensor:
        """(S, out, B) from (in, B), which all nets share, or from (S, in, B)."""
        if inputs.ndim == 3:
            return torch.baddbmm(self.bias, self.weight, inputs)
        nets, out, _ = self.weight.shape
        joined = torch.addmm(self.bias.view(-1, 1), self.weight.view(nets * out, -1), inputs)
        return joined.view(nets, out, -1)


class _ReluDropout(torch.autograd.Function):
    """ReLU and dropout as one in-place step. The output is positive exactly where the gradient passes."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, keep: Tensor, scale: float) -> Tensor:
        ctx.mark_dirty(hidden)
        ctx.scale = scale
        hidden.relu_().mul_(keep).mul_(scale)
        ctx.save_for_backward(hidden)
        return hidden

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (out,) = ctx.saved_tensors
        return torch.ops.aten.threshold_backward(grad, out, 0).mul_(ctx.scale), None, None


def relu_dropout(hidden: Tensor, rate: float, generator: torch.Generator | None) -> Tensor:
    """ReLU, then dropout with probability round(256 * rate) / 256; overwrites `hidden`.

    Bernoulli draws cost as much as the matrix products on a CPU, so one 64-bit draw serves eight units. What
    is kept is scaled by the probability actually used, so the expectation is exact.
    """
    level = round(256 * rate)
    if level == 0:
        return hidden.relu_()
    words = torch.empty((hidden.numel() + 7) // 8, dtype=torch.int64, device=hidden.device)
    words.random_(-(2**63), None, generator=generator)
    octets = words.view(torch.int8)[: hidden.numel()].view(hidden.shape)
    keep = octets.ge_(level - 128)  # in place on int8: eight times faster than making a bool tensor
    return _ReluDropout.apply(hidden, keep, 256 / (256 - level))


class StackedMLP(NetStack):
    """S nets with O outputs each, built as Linear-ReLU-Dropout, ..., Linear."""

    def __init__(
        self,
        generators: Sequence[torch.Generator],
        in_features: int,
        hidden: Sequence[int],
        dropout: Sequence[float],
        out_features: int,
    ) -> None:
        super().__init__()
        self.dropout = tuple(dropout)
        widths = (in_features, *hidden, out_features)
        self.layers = nn.ModuleList(
            StackedLinear(generators, widths[i], widths[i + 1]) for i in range(len(widths) - 1)
        )

    def inputs(self, features: Tensor) -> Tensor:
        """Inputs (D, B) of the first layer from features (B, D), the same for all nets."""
        return features.T

    def forward(self, features: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Outputs (S, B, O) of features (B, D)."""
        hidden = self.inputs(features)
        for layer, rate in zip(self.layers, self.dropout, strict=False):
            hidden = relu_dropout(layer(hidden), rate if self.training else 0.0, generator)  # (S, H, B)
        return self.layers[-1](hidden).transpose(1, 2)


def hidden_rates(hidden: Sequence[int], dropout: float | Sequence[float]) -> tuple[float, ...]:
    """One dropout rate per hidden layer; a single number is the rate of all of them.

    Raises:
        UserError: no net can be built from these widths and rates; names the key.

    Example:
        >>> hidden_rates((256, 128), 0.2)
        (0.2, 0.2)
    """
    if len(hidden) < 1 or any(width < 1 for width in hidden):
        raise UserError(f"head.hidden: expected at least one width, each at least 1, found {list(hidden)}")
    rates = tuple(dropout) if isinstance(dropout, Sequence) else (dropout,) * len(hidden)
    if len(rates) != len(hidden):
        raise UserError(
            f"head.dropout: expected one rate for each of {len(hidden)} hidden layers, found {len(rates)} rates"
        )
    if any(not 0 <= rate <= 0.95 for rate in rates):
        raise UserError(f"head.dropout: expected rates in [0, 0.95], found {list(rates)}")
    return rates
