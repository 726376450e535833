"""Small caches: what changes from test to test is an argument, the rest has a default."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from prefillroute.caches.identity import CacheIdentity
from prefillroute.caches.index import build_index
from prefillroute.caches.keys import activation_key, cache_path, prompt_digest, shards_folder
from prefillroute.caches.queries import QueryTable
from prefillroute.caches.shard import ShardPlan, shard_name
from prefillroute.caches.writer import ActivationWriter

HIDDEN = 12


@pytest.fixture(scope="session")
def make_identity() -> Callable[..., CacheIdentity]:
    def make(**changes: Any) -> CacheIdentity:
        values: dict[str, Any] = dict(  # noqa: C408
            encoder="toy", weights="toy@0", num_layers=4, hidden_size=HIDDEN, compute_dtype="float32",
            storage_dtype="float32", prompt_format="chat", chat_template="abc", chat_template_kwargs="{}",
            max_length=64,
        )  # fmt: skip
        return CacheIdentity(**(values | changes))

    return make


@pytest.fixture(scope="session")
def make_plan() -> Callable[..., ShardPlan]:
    def make(
        names: Sequence[str],
        layers: Sequence[int] = range(5),
        poolings: Sequence[str] = ("last", "mean"),
        batch: int = 4,
    ) -> ShardPlan:
        return ShardPlan(
            keys=tuple(key_of(name) for name in names),
            fed_tokens=np.full(len(names), 7, dtype=np.int32),
            batch=(np.arange(len(names)) // batch).astype(np.int32),
            layer_ids=tuple(layers),
            poolings=tuple(poolings),
        )

    return make


def key_of(name: str) -> str:
    return activation_key(list(name.encode()))


def vectors(names: Sequence[str], layers: Sequence[int], pooling: str) -> np.ndarray:
    """What an encoder would give: a function of the query, the layer and the pooling alone."""
    out = np.empty((len(names), len(layers), HIDDEN), dtype=np.float32)
    for row, name in enumerate(names):
        for position, layer in enumerate(layers):
            rng = np.random.default_rng([*name.encode(), layer, len(pooling), ord(pooling[0])])
            out[row, position] = rng.normal(size=HIDDEN)
    return out


def table_of(names: Sequence[str]) -> QueryTable:
    count = len(names)
    return QueryTable(
        query_ids=tuple(names),
        prompts=tuple(prompt_digest(f"prompt {name}") for name in names),
        keys=tuple(key_of(name) for name in names),
        query_tokens=np.arange(count, dtype=np.int64) + 3,
        fed_tokens=np.full(count, 7, dtype=np.int64),
        truncated=np.zeros(count, dtype=bool),
    )


@pytest.fixture(scope="session")
def truth() -> Callable[..., np.ndarray]:
    return vectors


@pytest.fixture(scope="session")
def make_table() -> Callable[..., QueryTable]:
    return table_of


@pytest.fixture
def write_shard(make_identity: Any, make_plan: Any) -> Callable[..., Path]:
    """Write all rows of one shard of the cache in `caches`; returns the shard's path."""

    def write(
        caches: Path,
        names: Sequence[str],
        layers: Sequence[int] = range(5),
        poolings: Sequence[str] = ("last", "mean"),
        part: tuple[int, int] = (1, 0),
        rows: Sequence[int] | None = None,
        **changes: Any,
    ) -> Path:
        identity, plan = make_identity(**changes), make_plan(names, layers, poolings)
        path = shards_folder(cache_path(caches, "toy")) / shard_name(plan, *part)
        with ActivationWriter(path, plan, identity, f"{part[1]}/{part[0]}", "torch 0") as writer:
            chosen = list(range(len(names))) if rows is None else list(rows)
            for start in range(0, len(chosen), 4):
                batch = chosen[start : start + 4]
                mine = [names[row] for row in batch]
                writer.write(batch, {p: vectors(mine, list(layers), p) for p in poolings}, mine)
        return path

    return write


@pytest.fixture
def write_cache(write_shard: Any, make_identity: Any) -> Callable[..., Path]:
    """One whole shard and its index; returns the index file."""

    def write(caches: Path, names: Sequence[str], **changes: Any) -> Path:
        write_shard(caches, names, **changes)
        path = cache_path(caches, "toy")
        build_index(path, make_identity(), table_of(names))
        return path

    return write
