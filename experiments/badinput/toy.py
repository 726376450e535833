"""A pool and an encoder that are small enough to run the whole command line in seconds.

The encoder is a llama of two blocks with random weights and a tokenizer of single bytes, saved as a
Hugging Face folder. The pool has three targets whose correctness depends on the words of the query, so
that there is something to learn.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

CONTEXT_LENGTH = 128
NUM_LAYERS = 2
HIDDEN_SIZE = 16
TARGETS = {"small": (0.1, 0.3), "medium": (0.5, 1.5), "large": (3.0, 9.0)}
"""Price per 10^6 tokens in and out, USD, cheapest first."""
CHAT_TEMPLATE = (
    "{% for message in messages %}<|user|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
TOPICS = {"sums": "add {a} and {b}", "words": "spell the number {a} backwards {b} times"}
_SPECIAL = ["<|pad|>", "<|user|>", "<|end|>", "<|assistant|>"]


def save_tokenizer(folder: Path, **kwargs: Any) -> int:
    """Save a tokenizer of single bytes with a chat template; returns the size of its vocabulary."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate([*_SPECIAL, *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<|pad|>",
        eos_token="<|end|>",
        additional_special_tokens=["<|user|>", "<|assistant|>"],
        **kwargs,
    )
    fast.chat_template = CHAT_TEMPLATE
    fast.save_pretrained(folder)
    return len(vocabulary)


def write_encoder(folder: Path) -> None:
    """Save the toy encoder and its tokenizer to `folder`; deterministic."""
    vocab_size = save_tokenizer(folder, model_max_length=CONTEXT_LENGTH)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=vocab_size,
                hidden_size=HIDDEN_SIZE,
                intermediate_size=32,
                num_hidden_layers=NUM_LAYERS,
                num_attention_heads=2,
                num_key_value_heads=1,
                max_position_embeddings=CONTEXT_LENGTH,
                initializer_range=0.5,
                pad_token_id=0,
                eos_token_id=2,
            )
        )
    model.save_pretrained(folder)


def queries(num_queries: int) -> pd.DataFrame:
    """`num_queries` distinct short prompts of two topics, in the form of ``queries.parquet``."""
    rng = np.random.default_rng(0)
    rows = []
    for index in range(num_queries):
        topic = list(TOPICS)[index % 2]
        prompt = TOPICS[topic].format(a=1000 + index, b=int(rng.integers(2, 99)))
        rows.append({"query_id": f"q{index}", "benchmark": "toy", "category": topic, "prompt": prompt})
    return pd.DataFrame(rows)


def outcomes(frame: pd.DataFrame) -> pd.DataFrame:
    """Outcomes of every target on every query, in the form of ``outcomes.parquet``."""
    rng = np.random.default_rng(1)
    chance = {
        "small": {"sums": 0.7, "words": 0.2},
        "medium": {"sums": 0.5, "words": 0.7},
        "large": {"sums": 0.8, "words": 0.85},
    }
    rows = []
    for query_id, topic, prompt in zip(frame["query_id"], frame["category"], frame["prompt"], strict=True):
        for target in TARGETS:
            rows.append(
                {
                    "query_id": query_id,
                    "target": target,
                    "correct": float(rng.random() < chance[target][topic]),
                    "prompt_tokens": len(prompt) // 4 + 8,
                    "completion_tokens": int(rng.integers(20, 60)),
                }
            )
    return pd.DataFrame(rows)
