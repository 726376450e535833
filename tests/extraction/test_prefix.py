"""The shared prefix changes nothing but the time."""

import numpy as np
import pytest

from prefillroute.extraction.backends.contract import read_together
from prefillroute.extraction.backends.transformers import TransformersBackend
from prefillroute.extraction.request import ReadRequest

PROMPTS = ["Why?", "What is 2 + 2, and why is it not 5? " * 3, "Name a prime."]


@pytest.fixture
def encoders(toy_facts):
    def make(architecture="llama", **options):
        facts = toy_facts(architecture)
        return [
            TransformersBackend(facts, ReadRequest(**options), device="cpu", share_prefix=shared)
            for shared in (True, False)
        ]

    return make


def test_same_activations(encoders):
    shared, whole = encoders()
    ids = [encoded.token_ids for encoded in whole.prompts(PROMPTS)]
    found, wanted = read_together(shared, ids), read_together(whole, ids)
    assert shared._prefix is not None
    assert len(shared._prefix) == len("[2025-01-01]<s><user>")
    for pooling, values in wanted.items():
        scale = np.abs(values).max(axis=-1, keepdims=True)
        assert (np.abs(found[pooling] - values) / scale).max() < 1e-5
    again = read_together(shared, ids[::-1])  # keys and values of one batch do not leak into the next
    assert (np.abs(again["mean"][::-1] - found["mean"])).max() < 1e-5 * np.abs(found["mean"]).max()


def test_rows_that_begin_otherwise_are_run_whole(encoders):
    shared, whole = encoders()
    ids = [np.arange(40, dtype=np.int32), whole.prompts(["Why?"])[0].token_ids]
    found, wanted = read_together(shared, ids), read_together(whole, ids)
    assert np.array_equal(found["mean"], wanted["mean"])


def test_truncated_prompts_keep_the_prefix(encoders):
    shared, whole = encoders(max_length=60)
    ids = [encoded.token_ids for encoded in whole.prompts(["x" * 200])]
    found, wanted = read_together(shared, ids), read_together(whole, ids)
    assert np.abs(found["last"] - wanted["last"]).max() < 1e-5 * np.abs(wanted["last"]).max()


@pytest.mark.parametrize("architecture", ["gemma3_text", "gpt_oss", "nemotron_h", "qwen3_5_moe"])
def test_other_families_are_left_alone(encoders, architecture):
    shared, whole = encoders(architecture)
    ids = [encoded.token_ids for encoded in whole.prompts(PROMPTS)]
    assert np.array_equal(read_together(shared, ids)["mean"], read_together(whole, ids)["mean"])
    assert shared._prefix is None
