"""One frozen DeBERTa-v3 that many nets share; each brings its own low-rank adapters (LoRA, Hu et al. 2021).

B queries, T tokens, P adapted projections (query, key and value of every layer), r rank, D hidden width.
"""

import functools
from typing import Any

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn
from transformers import AutoConfig, DebertaV2Config, DebertaV2Model

from prefillroute.errors import UserError
from prefillroute.heads.stacked import relu_dropout
from prefillroute.pretrained.loading import find_commit, pretrained
from prefillroute.seeds import derive_seed

PROJECTIONS = ["query_proj", "key_proj", "value_proj"]
ADAPTER = "lora"
VERSION_3: dict[str, Any] = {
    "relative_attention": True,
    "position_biased_input": False,
    "pos_att_type": ["p2c", "c2p"],
    "share_att_key": True,
    "norm_rel_ebd": "layer_norm",
    "position_buckets": 256,
}
"""Settings that turn a ``DebertaV2Config`` into that of DeBERTa-v3."""


class SeededDropout(nn.Module):
    """Dropout that draws from a given generator, never from the global one; it is off while its rate is 0."""

    def __init__(self) -> None:
        super().__init__()
        self.rate = 0.0
        self.generator: torch.Generator | None = None

    def forward(self, inputs: Tensor) -> Tensor:
        """`inputs` with a share `rate` of its values, to the nearest 1/256, set to 0."""
        if not self.rate:
            return inputs
        return inputs * relu_dropout(torch.ones_like(inputs), self.rate, self.generator)


class LoraBackbone:
    """A DeBERTa with slots for adapters and nothing to train.

    It is not an ``nn.Module``, so that a net that holds it does not list its tensors among its own.

    Args:
        model: becomes part of this object; it is frozen, in evaluation mode, with its own dropout off.
        rank, alpha: LoRA's rank and scale; an adapter's product is scaled by alpha / rank.
    """

    def __init__(self, model: DebertaV2Model, rank: int, alpha: float) -> None:
        lora = LoraConfig(r=rank, lora_alpha=alpha, target_modules=PROJECTIONS)  # type: ignore[arg-type]
        self.model = inject_adapter_in_model(lora, model, adapter_name=ADAPTER)
        self.model.eval().requires_grad_(False)
        self.dropout = SeededDropout()
        for module in self.model.modules():
            if isinstance(module, LoraLayer):
                module.lora_dropout[ADAPTER] = self.dropout
        tensors = dict(self.model.named_parameters())
        self.down_names = [name for name in tensors if f".lora_A.{ADAPTER}." in name]
        self.up_names = [name.replace(".lora_A.", ".lora_B.") for name in self.down_names]
        self.num_adapted = len(self.down_names)
        self.down_shape = tuple(tensors[self.down_names[0]].shape)
        self.up_shape = tuple(tensors[self.up_names[0]].shape)
        self.hidden_size: int = model.config.hidden_size
        self.vocab_size: int = model.config.vocab_size

    def pooled(
        self,
        ids: Tensor,
        down: Tensor,
        up: Tensor,
        rate: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Mean (B, D) of the last layer over real tokens, with one net's adapters inserted.

        Args:
            ids: (B, T) int64, negative after the last token of a row.
            down, up: (P, r, D) and (P, D, r), LoRA's A and B. The model follows them to their device.
            rate, generator: of the dropout on the adapters' inputs.
        """
        if self.model.device != down.device:
            with torch.inference_mode(False):  # tensors made in inference mode do not support training
                self.model.to(down.device)
        real = ids >= 0
        tensors = dict(zip(self.down_names + self.up_names, [*down.unbind(), *up.unbind()], strict=True))
        self.dropout.rate, self.dropout.generator = rate, generator
        inputs = {"input_ids": ids.clamp(min=0), "attention_mask": real.long()}
        hidden = torch.func.functional_call(self.model, tensors, kwargs=inputs).last_hidden_state
        weight = real.to(hidden.dtype).unsqueeze(2)
        return (hidden * weight).sum(1) / weight.sum(1).clamp(min=1)


@functools.lru_cache(maxsize=1)
def pretrained_backbone(model: str, revision: str | None, rank: int, alpha: float) -> LoraBackbone:
    """Load the weights of a hub repository or local folder as float32.

    The last backbone is cached, since the members chosen for each group form a new head.

    Raises:
        UserError: they cannot be loaded, or are not a DeBERTa-v2 or v3.
    """
    with torch.random.fork_rng(devices=[]):
        loaded, report = pretrained(
            DebertaV2Model,
            "head.model",
            model,
            revision=revision,
            dtype=torch.float32,
            output_loading_info=True,
        )
        if report["missing_keys"]:
            raise UserError(
                f"head.model={model}: expected all weights of a DeBERTa-v3, found {len(report['missing_keys'])} "
                f"missing, for instance {sorted(report['missing_keys'])[0]}"
            )
        return LoraBackbone(loaded, rank, alpha)


@functools.lru_cache(maxsize=1)
def random_backbone(
    seed: int,
    hidden_size: int,
    num_layers: int,
    attention_heads: int,
    intermediate_size: int,
    vocab_size: int,
    rank: int,
    alpha: float,
) -> LoraBackbone:
    """A DeBERTa-v3 of any size with random weights that depend on the seed; global random state is not changed."""
    config = DebertaV2Config(
        hidden_size=hidden_size,
        num_hidden_layers=num_layers,
        num_attention_heads=attention_heads,
        intermediate_size=intermediate_size,
        vocab_size=vocab_size,
        **VERSION_3,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "backbone"))
        return LoraBackbone(DebertaV2Model(config), rank, alpha)


def find_deberta(model: str, revision: str | None) -> str | None:
    """The commit of a DeBERTa-v3 on the hub; see `find_commit`.

    Raises:
        UserError: it cannot be loaded, or is not a DeBERTa-v2 or v3.
    """
    config = pretrained(AutoConfig, "head.model", model, revision=revision)
    if config.model_type != DebertaV2Config.model_type:
        raise UserError(
            f"head.model={model}: expected a {DebertaV2Config.model_type} (DeBERTa-v3), found a {config.model_type}"
        )
    return find_commit(model, revision)
