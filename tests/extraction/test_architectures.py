"""Every encoder family: layer k is what block k gives, and company in the batch changes nothing."""

import numpy as np
import pytest
import torch

from prefillroute.extraction.backends.contract import read_together
from prefillroute.extraction.backends.transformers import TransformersBackend
from prefillroute.extraction.request import ReadRequest

ARCHITECTURES = ["llama", "gemma3_text", "gpt_oss", "nemotron_h", "qwen3_5_moe_text", "qwen3_5_moe"]
PROMPTS = [
    "Why?",
    "What is 2 + 2, and why is it not 5? " * 4,
    "Name a prime.",
    "x" * 33,
    "One more question, please.",
]


@pytest.fixture(scope="module", params=ARCHITECTURES)
def encoder(request, toy_facts):
    facts = toy_facts(request.param, padding_side="left")
    return TransformersBackend(facts, ReadRequest(), device="cpu", share_prefix=False)


@pytest.fixture(scope="module")
def token_ids(encoder):
    return [encoded.token_ids for encoded in encoder.prompts(PROMPTS)]


def test_layer_k_is_what_block_k_gives(encoder, token_ids):
    for ids in token_ids[:3]:
        seen = {}
        blocks = encoder.model.layers
        handles = [
            blocks[0].register_forward_pre_hook(lambda module, args, seen=seen: seen.update({0: args[0]}))
        ]
        for k, block in enumerate(blocks, start=1):
            handles.append(
                block.register_forward_hook(lambda m, a, out, k=k, seen=seen: seen.update({k: out}))
            )
        pooled = read_together(encoder, [ids])
        for handle in handles:
            handle.remove()
        assert pooled["last"].shape == (1, 5, 32)
        for k in range(5):
            hidden = (seen[k][0] if isinstance(seen[k], tuple) else seen[k])[0]
            np.testing.assert_array_equal(pooled["last"][0, k], hidden[-1].float().numpy())
            np.testing.assert_allclose(
                pooled["mean"][0, k], hidden.double().mean(0).numpy(), rtol=1e-4, atol=1e-6
            )


def test_layers_below_the_last_are_hugging_face_hidden_states(encoder, token_ids):
    pooled = read_together(encoder, [token_ids[1]])
    with torch.inference_mode():
        out = encoder.model(
            input_ids=torch.tensor(token_ids[1].astype(np.int64))[None], output_hidden_states=True
        )
    for k in range(4):
        np.testing.assert_allclose(
            pooled["last"][0, k], out.hidden_states[k][0, -1].numpy(), rtol=1e-5, atol=1e-6
        )
    # hidden_states[L] is after the final norm, ours is before it.
    final = out.hidden_states[4][0, -1].numpy()
    assert np.abs(pooled["last"][0, 4] - final).max() > 0.01
    norm = encoder.model.norm_f if hasattr(encoder.model, "norm_f") else encoder.model.norm
    with torch.inference_mode():
        normed = norm(torch.from_numpy(pooled["last"][0, 4])).numpy()
    np.testing.assert_allclose(normed, final, rtol=1e-4, atol=1e-5)


def test_batched_equals_one_by_one(encoder, token_ids):
    """Mixed lengths, and a tokenizer that would pad on the left."""
    together = read_together(encoder, token_ids)
    for row, ids in enumerate(token_ids):
        alone = read_together(encoder, [ids])
        for pooling, values in alone.items():
            scale = np.abs(values).max(axis=-1, keepdims=True)
            assert (np.abs(together[pooling][row] - values[0]) / scale[0]).max() < 2e-5, (row, pooling)


def test_layers_differ_and_depend_on_the_query(encoder, token_ids):
    pooled = read_together(encoder, token_ids)
    for values in pooled.values():
        assert np.abs(np.diff(values, axis=1)).max(axis=-1).min() > 1e-4
    # The template ends alike for all queries: layer 0 of the last token is constant, deeper ones are not.
    assert np.ptp(pooled["last"][:, 0], axis=0).max() == 0
    assert np.ptp(pooled["last"][:, 4], axis=0).max() > 1e-4


def test_only_wanted_layers_and_poolings(encoder, token_ids):
    every = read_together(encoder, token_ids)
    some = read_together(encoder, token_ids, [1, 4], ["mean"])
    assert list(some) == ["mean"]
    np.testing.assert_array_equal(some["mean"], every["mean"][:, [1, 4]])


def test_layer_0_of_gemma_is_the_scaled_embedding(toy_facts):
    encoder = TransformersBackend(toy_facts("gemma3_text"), ReadRequest(), device="cpu")
    (prompt,) = encoder.prompts(["Why?"])
    weight = encoder.model.embed_tokens.weight.detach().double().numpy()
    layer_0 = read_together(encoder, [prompt.token_ids])["mean"][0, 0]
    np.testing.assert_allclose(layer_0, weight[prompt.token_ids].mean(0) * np.sqrt(32), rtol=1e-5, atol=1e-6)
