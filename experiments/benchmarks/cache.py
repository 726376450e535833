"""Reading one layer of a cache against a plain sequential read of the same bytes, in one run.

    python experiments/benchmarks/cache.py              # 14,469 rows x 3,072, float32

The cache is written by `ActivationWriter` and read by `CacheView.read`: open, read, verify every checksum, and put the
rows into the order of the queries, which is not the order in which they were extracted. The plain read is
`numpy.fromfile` over the same extent of the same file into a new array. Both are repeated in turn; medians of the
pairs' ratios are printed, once with the file in the page cache (the harder case: nothing to wait for) and once after
asking the kernel to drop it.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from prefillroute.caches.identity import CacheIdentity
from prefillroute.caches.index import build_index, read_index
from prefillroute.caches.keys import activation_key, cache_path, prompt_digest, shards_folder
from prefillroute.caches.queries import QueryTable
from prefillroute.caches.reader import ActivationCache, CacheView
from prefillroute.caches.shard import ShardPlan, shard_name
from prefillroute.caches.writer import ActivationWriter
from prefillroute.text.printing import say

BATCH = 512


def write_cache(caches: Path, rows: int, hidden: int, layers: int) -> tuple[Path, float]:
    """A cache of random vectors; returns the index file and the bytes written per second."""
    identity = CacheIdentity(
        encoder="bench",
        weights="none",
        num_layers=layers,
        hidden_size=hidden,
        compute_dtype="float32",
        storage_dtype="float32",
        prompt_format="chat",
        chat_template="none",
        chat_template_kwargs="{}",
        max_length=1,
    )
    keys = tuple(activation_key([row]) for row in range(rows))
    batch = (np.arange(rows) // BATCH).astype(np.int32)
    plan = ShardPlan(keys, np.ones(rows, dtype=np.int32), batch, tuple(range(layers)), ("mean",))
    path = cache_path(caches, "bench")
    rng = np.random.default_rng(0)
    started = time.perf_counter()
    with ActivationWriter(shards_folder(path) / shard_name(plan, 1, 0), plan, identity) as writer:
        for start in range(0, rows, BATCH):
            chosen = range(start, min(start + BATCH, rows))
            values = rng.standard_normal((len(chosen), layers, hidden), dtype=np.float32)
            writer.write(list(chosen), {"mean": values}, [str(row) for row in chosen])
    seconds = time.perf_counter() - started
    ids = tuple(str(row) for row in range(rows))
    ones = np.ones(rows, dtype=np.int64)
    build_index(path, identity, QueryTable(ids, tuple(map(prompt_digest, ids)), keys, ones, ones, ones == 0))
    return path, rows * layers * hidden * 4 / seconds


def plain_read(file: Path, offset: int, count: int) -> Callable[[], np.ndarray]:
    """What the ratio is to."""
    return lambda: np.fromfile(file, dtype="<f4", count=count, offset=offset)


def compare(
    view: CacheView, layer: int, plain: Callable[[], np.ndarray], drop: Path | None, repetitions: int
) -> None:
    """Print medians of alternating reads."""
    times: dict[str, list[float]] = {"plain": [], "cache": []}
    for _ in range(repetitions):
        for name, read in (("plain", plain), ("cache", lambda: view.read(layer, "mean"))):
            if drop is not None:
                handle = os.open(drop, os.O_RDONLY)
                os.fsync(handle)
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(handle)
            started = time.perf_counter()
            values = read()
            times[name].append(time.perf_counter() - started)
            size = values.nbytes
    ratio = np.median(np.asarray(times["plain"]) / np.asarray(times["cache"]))
    speeds = {name: size / np.median(seconds) / 1e9 for name, seconds in times.items()}
    state = "page cache" if drop is None else "dropped from the page cache"
    say(
        f"one layer, {size / 1e6:.0f} MB, {state}: plain {speeds['plain']:.2f} GB/s, "
        f"cache {speeds['cache']:.2f} GB/s, ratio {ratio:.2f} (at least 0.50 wanted)"
    )


def main() -> None:
    """Write, read, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=14469)
    parser.add_argument("--hidden", type=int, default=3072)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--folder", type=Path, help="where to write; default: a temporary folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        path, speed = write_cache(Path(folder), arguments.rows, arguments.hidden, arguments.layers)
        say(f"written with checks and checksums at {speed / 1e9:.2f} GB/s (random numbers included)")
        order = np.random.default_rng(1).permutation(arguments.rows)
        started = time.perf_counter()
        view = ActivationCache(path).select([str(row) for row in order])
        say(f"opened, and {arguments.rows} rows selected, in {time.perf_counter() - started:.2f} s")
        shard = read_index(path).shards[0].extents
        file, layer = shards_folder(path) / shard.name, arguments.layers // 2
        plain = plain_read(file, int(shard.activations["mean"][layer, 0]), arguments.rows * arguments.hidden)
        assert np.array_equal(plain().reshape(arguments.rows, -1)[order], view.read(layer, "mean"))
        compare(view, layer, plain, None, arguments.repetitions)
        compare(view, layer, plain, file, arguments.repetitions)


if __name__ == "__main__":
    main()
