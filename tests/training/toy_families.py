"""The two encoder families of the headline command at toy width: random weights, a tokenizer of single bytes."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    NemotronHConfig,
    NemotronHForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen3_5MoeForCausalLM,
    Qwen3_5MoeTextConfig,
)

NUM_LAYERS = 4
HIDDEN_SIZE = 32
SPECIAL = ["<|pad|>", "<|user|>", "<|end|>", "<|assistant|>"]
CHAT_TEMPLATE = (
    "{% for message in messages %}<|user|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def save_tokenizer(folder: Path) -> int:
    """Returns the size of the vocabulary."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate([*SPECIAL, *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<|pad|>",
        eos_token="<|end|>",
        additional_special_tokens=["<|user|>", "<|assistant|>"],
    )
    fast.chat_template = CHAT_TEMPLATE
    fast.save_pretrained(folder)
    return len(vocabulary)


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
