"""Reading: order, errors that name the command, one layer's bytes only, many processes."""

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from prefillroute.caches.identity import CacheIdentity
from prefillroute.caches.index import build_index
from prefillroute.caches.reader import ActivationCache
from prefillroute.errors import UserError

NAMES = [f"q{i}" for i in range(23)]
COMMAND = r"prefillroute extract encoder=toy pool=<pool>"


@pytest.fixture
def path(tmp_path, write_cache) -> Path:
    return write_cache(tmp_path, NAMES)


def test_rows_come_in_the_order_asked_for(path, truth):
    asked = ["q7", "q0", "q22", "q0", "q3"]
    view = ActivationCache(path).select(asked)
    assert (view.encoder, view.num_layers, view.hidden_size) == ("toy", 4, 12)
    assert (view.layer_ids, view.poolings) == ((0, 1, 2, 3, 4), ("last", "mean"))
    assert view.query_tokens.tolist() == [10, 3, 25, 3, 6]
    for layer in range(5):
        for pooling in ("last", "mean"):
            assert np.array_equal(view.read(layer, pooling), truth(asked, [layer], pooling)[:, 0])


@pytest.mark.parametrize("parallel", [0, 1 << 20])
def test_chunks_and_blocks_smaller_than_a_layer(tmp_path, write_cache, truth, monkeypatch, parallel):
    monkeypatch.setattr("prefillroute.caches.shard.CHUNK_BYTES", 7 * 48)
    monkeypatch.setattr("prefillroute.caches.extents.BLOCK_BYTES", 3 * 48)
    monkeypatch.setattr("prefillroute.caches.extents.PARALLEL_BYTES", parallel)
    order = np.random.default_rng(0).permutation(NAMES)[:17].tolist()
    view = ActivationCache(write_cache(tmp_path, NAMES)).select(order)
    for names, chosen in ((order, view), (NAMES, ActivationCache(tmp_path / "toy-chat.h5").select(NAMES))):
        assert np.array_equal(chosen.read(2, "mean"), truth(names, [2], "mean")[:, 0])


def test_float16_is_read_as_float32(tmp_path, write_shard, make_identity, make_table, truth):
    write_shard(tmp_path, NAMES, storage_dtype="float16")
    build_index(tmp_path / "toy-chat.h5", make_identity(storage_dtype="float16"), make_table(NAMES))
    values = ActivationCache(tmp_path / "toy-chat.h5").select(NAMES).read(1, "last")
    assert values.dtype == np.float32
    assert np.array_equal(values, truth(NAMES, [1], "last")[:, 0].astype(np.float16))


def test_missing_things_name_the_command(path, tmp_path):
    cache = ActivationCache(path)
    with pytest.raises(
        UserError,
        match=r"nowhere-chat\.h5: expected an activation cache, .*; make it with prefillroute extract encoder=nowhere",
    ):
        ActivationCache(tmp_path / "nowhere-chat.h5")
    with pytest.raises(
        UserError, match=rf"2 of 4 queries are cached \(missing: new\); complete it with {COMMAND}"
    ):
        cache.select(["q1", "new", "q2", "newer"])
    with pytest.raises(UserError, match=rf"layer 9 with pooling mean is not cached .* add it with {COMMAND}"):
        cache.select(["q1"]).read(9, "mean")


def test_a_changed_prompt_is_noticed_and_a_shared_one_found(path):
    cache = ActivationCache(path)
    assert cache.select(["q1"], ["prompt q1"]).query_tokens.tolist() == [4]
    assert cache.select(["other pool's name"], ["prompt q1"]).query_tokens.tolist() == [4]
    with pytest.raises(UserError, match="1 have another prompt than when they were extracted"):
        cache.select(["q1"], ["prompt q1, edited"])


def test_one_id_with_two_prompts_needs_the_prompts(path, make_identity, make_table, truth):
    other = make_table(["q5"])
    build_index(path, make_identity(), type(other)(("q1",), *[getattr(other, f) for f in other.__dict__][1:]))
    cache = ActivationCache(path)
    with pytest.raises(
        UserError, match="query q1: expected one prompt, found 2 different ones; pass the prompts too"
    ):
        cache.select(["q1"])
    view = cache.select(["q1", "q1"], ["prompt q5", "prompt q1"])
    assert np.array_equal(view.read(0, "mean"), truth(["q5", "q1"], [0], "mean")[:, 0])


def test_one_layer_touches_only_its_bytes(tmp_path, write_cache):
    names = [f"q{i}" for i in range(300)]
    view = ActivationCache(write_cache(tmp_path, names)).select(names)

    def bytes_read() -> int:
        with open("/proc/self/io") as file:
            return int(file.readline().split()[1])

    own = -bytes_read() + bytes_read()  # what reading the counter costs
    before = bytes_read()
    view.read(3, "mean")
    spent = bytes_read() - before - own
    assert spent == 300 * (12 * 4 + 8)  # its vectors and their checksums


def test_several_processes_read(path, truth):
    view = ActivationCache(path).select(NAMES)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        for layer, values in enumerate(pool.map(view.read, range(5), ["mean"] * 5)):
            assert np.array_equal(values, truth(NAMES, [layer], "mean")[:, 0])


def test_a_cache_pickles_as_its_path(path):
    cache = pickle.loads(pickle.dumps(ActivationCache(path)))
    assert isinstance(cache.identity, CacheIdentity)
    assert cache.select(["q2"]).read(0, "last").shape == (1, 12)


def test_identity_is_checked_against_plain_facts(path):
    identity = ActivationCache(path).identity
    facts = {"name": "toy", "num_layers": 4, "hidden_size": 12, "chat_template_kwargs": {}}
    identity.check_facts(path, **facts)
    identity.check_facts(path, **facts, repo="toy", revision="0")
    for key, value in {"num_layers": 5, "hidden_size": 13, "chat_template_kwargs": {"think": False}}.items():
        with pytest.raises(UserError, match=rf"expected {key}=.*made with {key}="):
            identity.check_facts(path, **(facts | {key: value}))
    with pytest.raises(UserError, match=r"expected weights=toy@1 .*made with weights=toy@0"):
        identity.check_facts(path, **facts, repo="toy", revision="1")
