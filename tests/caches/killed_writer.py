"""Run as a process of its own: fills a shard and, when told so, kills itself in the middle of a system call's work.

python killed_writer.py CACHES KILL_AT
"""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))

import conftest

from prefillroute.caches.identity import CacheIdentity
from prefillroute.caches.keys import cache_path, shards_folder
from prefillroute.caches.shard import ShardPlan, shard_name
from prefillroute.caches.writer import ActivationWriter


def main(caches: Path, kill_at: int) -> None:
    names = [f"q{i}" for i in range(10)]
    identity: CacheIdentity = conftest.make_identity.__wrapped__()()
    plan: ShardPlan = conftest.make_plan.__wrapped__()(names)
    calls = 0

    def fatal(original):
        def call(*args, **kwargs):
            nonlocal calls
            calls += 1
            if calls == kill_at:
                if original is pwrite:  # half of the data is written
                    pwrite(args[0], bytes(args[1])[: len(args[1]) // 2], args[2])
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*args, **kwargs)

        return call

    pwrite = os.pwrite
    for name in ("pwrite", "posix_fallocate", "fsync", "fdatasync", "rename", "open"):
        setattr(os, name, fatal(getattr(os, name)))
    path = shards_folder(cache_path(caches, "toy")) / shard_name(plan, 1, 0)
    with ActivationWriter(path, plan, identity, "0/1", "torch 0") as writer:
        for start in range(0, len(names), 4):
            rows = [row for row in range(start, min(start + 4, len(names))) if not writer.done[row]]
            if rows:
                mine = [names[row] for row in rows]
                writer.write(rows, {p: conftest.vectors(mine, range(5), p) for p in plan.poolings}, mine)
    print(calls)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
