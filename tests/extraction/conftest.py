"""Every encoder family at toy width with random weights, saved as a real model folder with a tokenizer."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    AutoModel,
    Gemma3TextConfig,
    GptOssConfig,
    LlamaConfig,
    NemotronHConfig,
    PreTrainedTokenizerFast,
    Qwen3_5MoeConfig,
    Qwen3_5MoeTextConfig,
    Qwen3_5MoeVisionConfig,
)

from prefillroute.config.facts import EncoderConfig

TEMPLATE = (
    "{% if strftime_now is defined %}[{{ strftime_now('%Y-%m-%d') }}]{% endif %}<s>"
    "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] | trim }}</>{% endfor %}"
    "{% if think is defined and think %}<think>{% endif %}{% if add_generation_prompt %}<assistant>{% endif %}"
)
WIDTH = {
    "hidden_size": 32,
    "vocab_size": 256,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
}

QWEN_TEXT = WIDTH | {
    "num_hidden_layers": 4,
    "layer_types": ["linear_attention", "linear_attention", "full_attention", "linear_attention"],
    "linear_key_head_dim": 8, "linear_value_head_dim": 8, "linear_num_key_heads": 2, "linear_num_value_heads": 4,
    "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16, "shared_expert_intermediate_size": 16,
}  # fmt: skip

CONFIGS: dict[str, Callable[[], Any]] = {
    "llama": lambda: LlamaConfig(**WIDTH, num_hidden_layers=4, intermediate_size=48),
    "gpt_oss": lambda: GptOssConfig(
        **WIDTH, num_hidden_layers=4, intermediate_size=16, num_local_experts=4, num_experts_per_tok=2, sliding_window=8
    ),
    # Embeddings times sqrt(H); windows of 8 tokens between blocks that attend to all.
    "gemma3_text": lambda: Gemma3TextConfig(
        **WIDTH, num_hidden_layers=4, intermediate_size=48, query_pre_attn_scalar=8, sliding_window=8, pad_token_id=0,
        bos_token_id=1, eos_token_id=2,
        layer_types=["sliding_attention", "full_attention", "sliding_attention", "full_attention"],
    ),
    "nemotron_h": lambda: NemotronHConfig(
        **WIDTH, layers_block_type=["linear_attention", "moe", "full_attention", "linear_attention"],
        mamba_num_heads=4, mamba_head_dim=16, n_groups=2, ssm_state_size=8, chunk_size=8, intermediate_size=48,
        n_routed_experts=4, num_experts_per_tok=2, moe_intermediate_size=16, moe_shared_expert_intermediate_size=16,
    ),
    "qwen3_5_moe_text": lambda: Qwen3_5MoeTextConfig(**QWEN_TEXT),
    # As it lies on the hub: with an image tower beside the language model.
    "qwen3_5_moe": lambda: Qwen3_5MoeConfig(
        text_config=Qwen3_5MoeTextConfig(**QWEN_TEXT).to_dict(),
        vision_config=Qwen3_5MoeVisionConfig(
            depth=1, hidden_size=16, intermediate_size=16, num_heads=2, out_hidden_size=32
        ).to_dict(),
    ),
}  # fmt: skip


def toy_tokenizer(padding_side: str = "right", template: str | None = TEMPLATE) -> PreTrainedTokenizerFast:
    """One token per byte: ids are known without running anything."""
    symbols = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({symbol: i for i, symbol in enumerate(symbols)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, padding_side=padding_side)
    fast.chat_template = template
    return fast


@pytest.fixture(scope="session")
def make_tokenizer() -> Callable[..., PreTrainedTokenizerFast]:
    return toy_tokenizer


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Folder of an architecture's toy model; made once."""
    made: dict[tuple[str, str], Path] = {}

    def make(architecture: str, padding_side: str = "right") -> Path:
        if (architecture, padding_side) not in made:
            folder = tmp_path_factory.mktemp(architecture) / architecture
            torch.manual_seed(0)
            config = CONFIGS[architecture]()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = AutoModel.from_config(config)
                for parameter in model.parameters():  # larger than usual: blocks must make a difference
                    if parameter.ndim > 1:
                        torch.nn.init.normal_(parameter, std=0.2)
                model.save_pretrained(folder)
            toy_tokenizer(padding_side).save_pretrained(folder)
            made[architecture, padding_side] = folder
        return made[architecture, padding_side]

    return make


@pytest.fixture(scope="session")
def toy_facts(toy_folder: Any) -> Callable[..., EncoderConfig]:
    def make(architecture: str = "llama", padding_side: str = "right", **changes: Any) -> EncoderConfig:
        values: dict[str, Any] = {
            "name": f"toy_{architecture}",
            "repo": str(toy_folder(architecture, padding_side)),
            "num_layers": 4,
            "hidden_size": 32,
            "context_length": 512,
            "params_b": 0.001,
        }
        return EncoderConfig(**(values | changes))

    return make
