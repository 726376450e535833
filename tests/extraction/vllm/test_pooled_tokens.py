"""What runs in vLLM's environment and needs no vLLM: pooling, and the weights in its form."""

import importlib
import sys

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from prefillroute.extraction.vllm.converted import without_second_names
from prefillroute.extraction.vllm.environment import PROGRAM
from prefillroute.pooling.choice import known_poolings


@pytest.fixture
def pooled_tokens(monkeypatch):
    monkeypatch.syspath_prepend(str(PROGRAM.parent))
    return importlib.import_module("pooled_tokens")


def test_pooled_layer_by_layer_as_in_the_forward_pass(pooled_tokens):
    hidden = torch.randn(7, 3, 5, generator=torch.Generator().manual_seed(0))
    poolings = {name: kind() for name, kind in sorted(known_poolings().items())}
    vectors, zero, bad = pooled_tokens.pool(hidden, poolings)
    assert vectors.shape == (len(poolings), 3, 5)
    plain = {"mean": hidden.double().mean(0).float(), "last": hidden[-1]}
    for row, name in enumerate(poolings):
        assert torch.allclose(vectors[row], plain[name], rtol=1e-6, atol=1e-7)
    assert (zero, bad) == ([0, 0, 0], [0, 0, 0])


def test_tokens_without_a_state_are_counted(pooled_tokens):
    hidden = torch.ones(4, 3, 2, dtype=torch.bfloat16)
    hidden[:3, 1] = 0
    hidden[2, 2, 1] = torch.nan
    hidden[3, 2, 0] = torch.inf
    hidden[0, 0, 0] = 0  # only one element
    assert pooled_tokens.pool(hidden, {"last": known_poolings()["last"]()})[1:] == ([0, 3, 0], [0, 0, 2])


def test_poolings_load_where_the_package_is_not_installed(pooled_tokens, tmp_path, monkeypatch):
    folder = tmp_path / "elsewhere"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "first.py").write_text(
        "class First:\n    def __call__(self, hidden, mask):\n        return hidden[:, 0].float()\n"
    )
    packages = {"elsewhere": [str(folder)], "elsewhere.inner": [str(folder / "inner")]}
    try:
        made = pooled_tokens.load_poolings(packages, {"first": ["elsewhere.inner.first", "First"]})
    finally:
        for name in [name for name in sys.modules if name.startswith("elsewhere")]:
            del sys.modules[name]
    hidden = torch.arange(6.0).reshape(3, 1, 2)
    assert np.array_equal(pooled_tokens.pool(hidden, made)[0], [[[0.0, 1.0]]])


@pytest.mark.parametrize("tied", [True, False])
def test_tied_weights_are_written_under_the_embeddings_name(tied):
    """vLLM leaves embeddings that it does not find at zero."""
    model = LlamaForCausalLM(
        LlamaConfig(
            hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2, vocab_size=16,
            tie_word_embeddings=tied,
        )
    )  # fmt: skip
    weights = without_second_names(model)
    assert "model.embed_tokens.weight" in weights
    assert ("lm_head.weight" in weights) is not tied
    assert set(model.state_dict()) - set(weights) == ({"lm_head.weight"} if tied else set())
