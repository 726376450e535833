"""An array of jobs fills one cache: real processes, one of them killed, that join their files at the same moment."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from prefillroute.caches.reader import ActivationCache
from prefillroute.caches.shard import open_shard

IDS = [f"q{i}" for i in range(32)]


def test_an_array_is_joined_exactly_once_and_goes_on_after_a_kill(toy_folder, tmp_path: Path) -> None:
    script = str(Path(__file__).parent / "toy_array.py")
    seed = int.from_bytes(os.urandom(2))
    command = [sys.executable, script, str(toy_folder("llama")), str(tmp_path), str(seed)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, f"seed {seed}: {done.stderr}"
    result, victim = json.loads((tmp_path / "result").read_text()), seed % 4

    first, second = result["first"], result["second"]
    assert [code for job, code in enumerate(first["codes"]) if job != victim] == [0, 0, 0], f"seed {seed}"
    assert first["codes"][victim] == -signal.SIGKILL, f"seed {seed}"
    assert len(first["keys"]) == len(set(first["keys"])) < 32, f"seed {seed}"
    assert second["codes"] == [0] * 4, f"seed {seed}"
    assert len(second["keys"]) == len(set(second["keys"])) == 32, f"seed {seed}"
    assert set(second["seen"]) <= {len(first["keys"]), 32}, f"seed {seed}"  # what a reader found meanwhile

    new = [report["new"] for report in second["reports"]]
    assert [count for job, count in enumerate(new) if job != victim] == [0, 0, 0], f"seed {seed}"
    before = sum(report["new"] for report in first["reports"] if report is not None)
    kept = 32 - before - new[victim]  # what the killed job had stored
    assert kept > 0 < new[victim], f"seed {seed}"

    paths = sorted((tmp_path / "array").rglob("part-*.h5"))
    shards = [open_shard(path) for path in paths]
    assert sorted(shard.part for shard in shards) == ["0/4", "1/4", "2/4", "3/4"]
    held = [key for shard in shards for key, ready in zip(shard.plan.keys, shard.done, strict=True) if ready]
    assert sorted(held) == sorted(second["keys"]), f"seed {seed}"  # no row in two files
    view, whole = (
        ActivationCache(tmp_path / name / "toy-chat.h5").select(IDS) for name in ("array", "whole")
    )
    for layer in range(5):
        for pooling in ("last", "mean"):
            found, wanted = view.read(layer, pooling), whole.read(layer, pooling)
            assert np.abs(found - wanted).max() <= 1e-5 * np.abs(wanted).max(), f"seed {seed}"
