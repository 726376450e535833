"""The paper's 7_deberta: a DeBERTa-v3 fine-tuned on the queries' text (section 4.2), here by LoRA.

S nets, B queries, T tokens, M targets, P adapted projections, r rank, D hidden width.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from prefillroute.errors import UserError
from prefillroute.heads.contract import Head, NetStack
from prefillroute.heads.layout import TOKEN_IDS, Layout
from prefillroute.heads.lora_backbone import (
    LoraBackbone,
    SeededDropout,
    find_deberta,
    pretrained_backbone,
    random_backbone,
)
from prefillroute.heads.stacked import StackedLinear
from prefillroute.seeds import seeded_generator

ROWS_AT_ONCE = 64
"""Queries in one pass, sorted by length, so that there is little padding and attention has a bounded size."""


class StackedAdapters(NetStack):
    """S sets of adapters of one frozen backbone, and a linear map of the pooled tokens to O outputs each.

    `down` (S, P, r, D) is initialised like peft's A, `up` (S, P, D, r) with 0. The backbone's own dropout is off,
    since it would draw from the global generator; dropout is applied to the adapters' inputs and the pooled tokens.
    """

    def __init__(
        self, generators: Sequence[torch.Generator], backbone: LoraBackbone, dropout: float, out_features: int
    ) -> None:
        super().__init__()
        self.backbone, self.dropout = backbone, dropout
        nets = len(generators)
        self.down = nn.Parameter(torch.empty(nets, backbone.num_adapted, *backbone.down_shape))
        self.up = nn.Parameter(torch.zeros(nets, backbone.num_adapted, *backbone.up_shape))
        bound = 1 / math.sqrt(backbone.down_shape[1])
        with torch.no_grad():
            for net, generator in enumerate(generators):
                self.down[net].uniform_(-bound, bound, generator=generator)
        self.readout = StackedLinear(generators, backbone.hidden_size, out_features)
        self.drop = SeededDropout()

    def forward(self, features: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Outputs (S, B, O) of token ids (B, T), -1 after the last token."""
        rate = self.dropout if self.training else 0.0
        ids = self._token_ids(features)
        lengths = (ids >= 0).sum(1)
        order = lengths.argsort(stable=True)
        chunks = [ids[rows, : max(int(lengths[rows[-1]]), 1)] for rows in order.split(ROWS_AT_ONCE)]
        nets = []
        for down, up in zip(self.down.unbind(), self.up.unbind(), strict=True):
            parts = [self.backbone.pooled(chunk, down, up, rate, generator) for chunk in chunks]
            nets.append(torch.cat(parts)[order.argsort()])
        pooled = torch.stack(nets)  # (S, B, D)
        self.drop.rate, self.drop.generator = rate, generator
        return self.readout(self.drop(pooled).transpose(1, 2)).transpose(1, 2)

    def _token_ids(self, features: Tensor) -> Tensor:
        ids = features.long()
        known = (ids == features) & (ids >= -1) & (ids < self.backbone.vocab_size)
        if not known.all():
            value = float(features[~known][0])
            raise UserError(
                f"head: expected token ids below {self.backbone.vocab_size} or -1 as features, found {value:g}; use "
                "signal=tokens with the tokenizer of the head's own model"
            )
        return ids


class DebertaHead(Head):
    """Reads token ids, the features of signal=tokens.

    All nets of all groups share one frozen backbone, which is not part of any state dict: a restored head takes it from
    `model`, or from the seed where it is random.

    Args:
        model: hub repository or local folder of a DeBERTa-v3; None for random weights of the sizes below.
        revision: commit or branch of a hub repository; stored as the commit that it resolves to.
        lora_rank, lora_alpha: rank and scale of the adapters of every query, key and value projection.
        lora_dropout: rate on the inputs of the adapters and of the last linear map, rounded to the nearest 1/256.
        hidden_size, num_layers, attention_heads, intermediate_size, vocab_size: sizes of random weights.

    Raises:
        UserError: a value is out of range, or the model cannot be loaded or is not a DeBERTa-v3.

    Example:
        >>> head = DebertaHead(Layout(width=5, content=TOKEN_IDS), num_targets=2, model=None, vocab_size=100)
        >>> head(torch.tensor([[[7.0, 42.0, 3.0, -1.0, -1.0]]])).shape  # one query of three tokens
        torch.Size([1, 1, 1, 2])
    """

    reads = (TOKEN_IDS,)
    wanted_signal = "signal=tokens with the tokenizer of the head's own model"

    def __init__(
        self,
        layout: Layout,
        num_targets: int,
        num_groups: int = 1,
        num_members: int = 1,
        seed: int = 0,
        model: str | None = "microsoft/deberta-v3-base",
        revision: str | None = None,
        lora_rank: int = 8,
        lora_alpha: float = 16.0,
        lora_dropout: float = 0.1,
        hidden_size: int = 32,
        num_layers: int = 2,
        attention_heads: int = 2,
        intermediate_size: int = 64,
        vocab_size: int = 30522,
    ) -> None:
        super().__init__(layout, num_targets, num_groups, num_members, seed)
        sizes = {
            "hidden_size": hidden_size,
            "num_layers": num_layers,
            "attention_heads": attention_heads,
            "intermediate_size": intermediate_size,
            "vocab_size": vocab_size,
        }
        for key, value in (sizes | {"lora_rank": lora_rank}).items():
            if value < 1:
                raise UserError(f"head.{key}: expected at least 1, found {value}")
        if hidden_size % attention_heads:
            raise UserError(
                f"head.hidden_size: expected a multiple of head.attention_heads = {attention_heads}, "
                f"found {hidden_size}"
            )
        if not lora_alpha > 0:
            raise UserError(f"head.lora_alpha: expected more than 0, found {lora_alpha}")
        if not 0 <= lora_dropout <= 0.95:
            raise UserError(f"head.lora_dropout: expected a rate in [0, 0.95], found {lora_dropout}")
        self.hidden_size, self.num_layers, self.attention_heads = hidden_size, num_layers, attention_heads
        self.intermediate_size, self.vocab_size = intermediate_size, vocab_size
        self.model = model
        self.revision = None if model is None else find_deberta(model, revision)
        self.lora_rank, self.lora_alpha, self.lora_dropout = lora_rank, lora_alpha, lora_dropout
        if model is None:
            backbone = random_backbone(seed, **sizes, rank=lora_rank, alpha=lora_alpha)
        else:
            backbone = pretrained_backbone(model, self.revision, lora_rank, lora_alpha)
        for group in range(num_groups):
            generators = [seeded_generator(seed, "init", group, member) for member in range(num_members)]
            self.groups.append(StackedAdapters(generators, backbone, lora_dropout, num_targets))
