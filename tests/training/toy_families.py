"""The two encoder families of the headline command at toy width: random weights, the toy's tokenizer."""

from pathlib import Path

import torch
from transformers import (
    NemotronHConfig,
    NemotronHForCausalLM,
    PreTrainedModel,
    Qwen3_5MoeForCausalLM,
    Qwen3_5MoeTextConfig,
)

from experiments.badinput.toy import save_tokenizer

NUM_LAYERS = 4
HIDDEN_SIZE = 32


def qwen35_moe(vocab_size: int) -> PreTrainedModel:
    return Qwen3_5MoeForCausalLM(
        Qwen3_5MoeTextConfig(
            vocab_size=vocab_size,
            hidden_size=HIDDEN_SIZE,
            num_hidden_layers=NUM_LAYERS,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=16,
            moe_intermediate_size=16,
            shared_expert_intermediate_size=16,
            num_experts=4,
            num_experts_per_tok=2,
            linear_num_key_heads=2,
            linear_num_value_heads=2,
            linear_key_head_dim=16,
            linear_value_head_dim=16,
            initializer_range=0.3,
        )
    )


def nemotron_h(vocab_size: int) -> PreTrainedModel:
    return NemotronHForCausalLM(
        NemotronHConfig(
            vocab_size=vocab_size,
            hidden_size=HIDDEN_SIZE,
            layers_block_type=["mamba", "moe", "attention", "mamba"],
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=16,
            intermediate_size=32,
            moe_intermediate_size=16,
            moe_shared_expert_intermediate_size=16,
            n_routed_experts=4,
            num_experts_per_tok=2,
            mamba_num_heads=4,
            mamba_head_dim=16,
            ssm_state_size=16,
            n_groups=1,
            initializer_range=0.3,
        )
    )


FAMILIES = {"qwen35_122b": qwen35_moe, "nemotron_super": nemotron_h}
"""By the encoder option whose architecture it is."""


def save_family(encoder: str, folder: Path) -> None:
    """Write weights and tokenizer as a Hugging Face folder; deterministic."""
    vocab_size = save_tokenizer(folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        FAMILIES[encoder](vocab_size).save_pretrained(folder)
