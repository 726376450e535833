"""A query has the activations that it has alone, or the model is refused before anything is cached."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    BertConfig,
    BertModel,
    Gemma3TextConfig,
    Gemma3TextModel,
    Gemma4TextConfig,
    Gemma4TextModel,
    ModernBertConfig,
    ModernBertModel,
)

from prefillroute.caches.reader import ActivationCache
from prefillroute.errors import UserError
from prefillroute.extraction.backends import transformers as transformers_room
from prefillroute.extraction.backends.contract import read_together
from prefillroute.extraction.backends.transformers import TransformersBackend
from prefillroute.extraction.causality import (
    TOLERANCE,
    check_alone_and_together,
    require_causal,
    short_company,
)
from prefillroute.extraction.request import ReadRequest
from prefillroute.extraction.run import extract

PROMPTS = [f"Question {i}: " + "why " * (7 * i % 11) for i in range(12)]
IDS = [f"q{i}" for i in range(12)]
SIZES = {
    "vocab_size": 256, "hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 48,
    "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
GEMMA = SIZES | {"num_key_value_heads": 2, "head_dim": 8, "sliding_window": 16}
FOUR = {"vocab_size_per_layer_input": 256, "hidden_size_per_layer_input": 8, "global_head_dim": 8}
NOT_CAUSAL = {
    "modernbert": (
        lambda: ModernBertModel(ModernBertConfig(**SIZES, cls_token_id=1, sep_token_id=2)),
        r"ModernBertModel, which is not causal \(layers\.0\.attn\.is_causal=False\)",
    ),
    "gemma_bidirectional": (
        lambda: Gemma3TextModel(Gemma3TextConfig(**GEMMA, use_bidirectional_attention=True)),
        r"Gemma3TextModel, which is not causal \(config\.use_bidirectional_attention=True\)",
    ),
    "bert": (
        lambda: BertModel(BertConfig(**SIZES)),
        r"BertModel, which is not causal \(encoder\.layer\.0\.attention\.self\.is_causal=False\)",
    ),
}


@pytest.fixture
def facts_of(tmp_path, toy_facts, make_tokenizer):
    """Facts of a model saved to a folder of its own."""

    def make(name):
        folder = tmp_path / name
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = NOT_CAUSAL[name][0]()
            for parameter in model.parameters():
                if parameter.ndim > 1:
                    torch.nn.init.normal_(parameter, std=0.2)
        model.save_pretrained(folder)
        make_tokenizer().save_pretrained(folder)
        return toy_facts(repo=str(folder), name=name)

    return make


def start(encoder: TransformersBackend, caches: Path):
    return extract(encoder, IDS, PROMPTS, caches)


def backend(facts, dtype="auto", tokens_per_batch=200) -> TransformersBackend:
    return TransformersBackend(
        facts, ReadRequest(dtype=dtype), device="cpu", tokens_per_batch=tokens_per_batch
    )


@pytest.mark.parametrize("name", NOT_CAUSAL)
def test_a_model_that_says_so_is_refused_by_name(facts_of, tmp_path, name):
    with pytest.raises(UserError, match=f"encoder {name}: expected a causal .*{NOT_CAUSAL[name][1]}"):
        start(backend(facts_of(name)), tmp_path / "caches")
    assert not list((tmp_path / "caches").rglob("*.h5"))


@pytest.mark.parametrize("name", ["modernbert", "gemma_bidirectional"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_one_that_does_not_say_so_is_found_out(facts_of, tmp_path, monkeypatch, name, dtype):
    """As a model of the hub's own code would be, whose configuration says nothing."""
    monkeypatch.setattr(transformers_room, "require_causal", lambda model, what: None)
    encoder = backend(facts_of(name), dtype)
    with pytest.raises(
        UserError, match=rf"encoder {name}: .*: query q\d+, layer \d, pooling \w+: element"
    ) as caught:
        start(encoder, tmp_path / "caches")
    numbers = re.search(
        r"is (\S+) alone and (\S+) in a batch \(relative difference of the vectors (\S+), ", str(caught.value)
    )
    assert numbers is not None
    alone, together, difference = map(float, numbers.groups())
    assert alone != together
    assert difference > TOLERANCE[dtype]
    assert not list((tmp_path / "caches").rglob("*.h5"))


def test_rows_that_touch_each_other_without_padding_are_found_out(toy_facts, tmp_path):
    """As in a mixture of experts whose capacity the rows of a batch share: every query is equally long here."""
    encoder = backend(toy_facts("qwen3_5_moe_text"), tokens_per_batch=1000)
    shared = encoder.model.layers[1].mlp
    handle = shared.register_forward_hook(lambda module, args, out: out + 0.3 * out.mean(dim=0, keepdim=True))
    prompts = [f"Question {i:02d}?" for i in range(12)]
    with pytest.raises(UserError, match=r"query q\d+, layer [2-4], pooling"):
        extract(encoder, IDS, prompts, tmp_path / "caches")
    handle.remove()
    assert extract(encoder, IDS, prompts, tmp_path / "caches").new_rows == 12


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("architecture", ["llama", "gpt_oss", "nemotron_h", "qwen3_5_moe_text"])
def test_causal_families_are_accepted(toy_facts, tmp_path, architecture, dtype):
    encoder = backend(toy_facts(architecture), dtype)
    assert start(encoder, tmp_path / "caches").new_rows == 12


def test_what_is_cached_is_what_one_query_gives(toy_facts, tmp_path):
    """What `route` reads of one query against the cache of many."""
    encoder = backend(toy_facts("nemotron_h"))
    view = ActivationCache(start(encoder, tmp_path).path).select(IDS, PROMPTS)
    for pooling in ("last", "mean"):
        cached = np.stack([view.read(layer, pooling) for layer in range(5)], axis=1)
        for row, encoded in enumerate(encoder.prompts(PROMPTS)):
            alone = read_together(encoder, [encoded.token_ids])[pooling][0]
            relative = np.linalg.norm(cached[row] - alone, axis=1) / np.linalg.norm(alone, axis=1)
            assert relative.max() < 1e-5


def test_gemma_that_lets_only_images_look_ahead_is_causal():
    model = Gemma4TextModel(Gemma4TextConfig(**GEMMA, **FOUR, use_bidirectional_attention="vision"))
    require_causal(model, "encoder gemma")


def one_layer(values) -> dict[str, np.ndarray]:
    return {"mean": np.asarray(values, dtype=np.float32)[:, None]}


def test_one_query_of_three_may_differ_and_two_may_not():
    """A token that rounding sends to another expert moves one query."""
    alone = {n: np.ones(4) * n for n in (1, 2, 3, 4)}

    def run(batch):
        return one_layer([alone[len(ids)] for ids in batch])

    batch, names = [np.zeros(n) for n in (4, 2, 1, 3)], ["four", "two", "one", "three"]
    company = run(batch)
    arguments = (names, (7,), "float32", "encoder toy")
    check_alone_and_together(run, batch, company, *arguments)
    company["mean"][2] *= 1.5  # the shortest
    check_alone_and_together(run, batch, company, *arguments)
    company["mean"][1] *= 1.25
    with pytest.raises(
        UserError, match=r"query two, layer 7, .* is 2 alone and 2.5 in a batch .*vectors 0.25, .*0.001"
    ):
        check_alone_and_together(run, batch, company, *arguments)
    company["mean"][[1, 2]] = np.nan
    with pytest.raises(UserError, match="relative difference of the vectors inf"):
        check_alone_and_together(run, batch, company, *arguments)


def test_the_short_batch_has_much_padding():
    assert short_company([5, 5, 5]) == []
    assert short_company([9]) == []
    lengths = [50, 12, 10, 11, 19, 21, 30]
    assert short_company(lengths) == [2, 3, 1, 5]  # 21 is the first of twice 10
    assert short_company([10, 11]) == [0, 1]
    assert short_company([12, 10, 11]) == [1, 2, 0]
