"""How much longer two runs take side by side than one alone, with the package's thread settings and without.

    python -m experiments.benchmarks.side_by_side                # 3 rounds
    python -m experiments.benchmarks.side_by_side --rounds 5 --rows 3300 --layers 2

A run is a process of its own that chooses layers (`probe_layer`, with PCA, eigenvalues and batched logistic
regressions, the work of `layers=cv_probe`) on synthetic activations. Each round starts one alone and then two at
once, first without `prefillroute.threads.settle` (libraries as they come: as many threads as cores, which spin while
they wait), then with it. Two runs on the same cores cannot take less than 2 times as long; at most 2.3 is wanted.

Processor time is printed beside the time on the clock: what threads spin away is processor time, which other work on
the machine disturbs less.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from prefillroute import threads
from prefillroute.text.printing import say

WANTED = 2.3
WORK = """
import sys
import numpy as np
from prefillroute import threads
if sys.argv[1] == "settled":
    threads.settle()
from experiments.benchmarks.cv_probe import synthetic_layer
from prefillroute.probes.layer_probe import probe_layer
rows, width, layers, targets = (int(word) for word in sys.argv[2:6])
folds = np.random.default_rng(0).permutation(rows) % 5
work = [synthetic_layer(rows, width, targets, layer) for layer in range(layers)]
print("ready", flush=True)
sys.stdin.readline()
for values, labels in work:
    probe_layer(values, labels, folds, dims=(50, 100, 200, 300), fisher_dim=100)
"""
CHOSEN = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_WAIT_POLICY", *threads.WAITING)


@dataclass(frozen=True)
class Spent:
    """Seconds of one or more runs at once: on the clock until the last has ended, and of processor time in all."""

    clock: float
    processor: float


def spend(how: str, at_once: int, words: list[str]) -> Spent:
    """Start runs, let them all make their input, then measure their work."""
    environment = {name: value for name, value in os.environ.items() if name not in CHOSEN}
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", WORK, how, *words],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(at_once)
    ]
    for run in runs:
        assert run.stdout is not None
        if run.stdout.readline() != "ready\n":
            raise RuntimeError(f"a run ended with status {run.wait()} before its work")
    before = [_processor(run.pid) for run in runs]
    started = time.perf_counter()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    for run in runs:
        run.communicate("go\n")
    clock = time.perf_counter() - started
    if any(run.returncode for run in runs):
        raise RuntimeError(f"runs ended with status {[run.returncode for run in runs]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime
    return Spent(clock, total - sum(before))


def _processor(pid: int) -> float:
    """Processor time of a running process so far, seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Print the ratios; 1 where the settled one's median is more than wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=3300, help="training queries")
    parser.add_argument("--width", type=int, default=576, help="hidden size")
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--targets", type=int, default=11)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    words = [str(n) for n in (arguments.rows, arguments.width, arguments.layers, arguments.targets)]
    say(
        f"{arguments.layers} layers x {arguments.rows} rows x {arguments.width}, {arguments.targets} targets, "
        f"{threads.cores()} cores, load {os.getloadavg()[0]:.1f}"
    )
    ratios: dict[str, list[float]] = {"as they come": [], "settled": []}
    for _ in range(arguments.rounds):
        for how, found in ratios.items():
            alone, pair = spend(how, 1, words), spend(how, 2, words)
            found.append(pair.clock / alone.clock)
            say(
                f"{how:<14} alone {alone.clock:6.1f} s ({alone.processor:6.1f} s processor)   "
                f"two at once {pair.clock:6.1f} s ({pair.processor:6.1f} s)   "
                f"ratio {found[-1]:.2f}, of processor time {pair.processor / alone.processor:.2f}",
            )
    for how, found in ratios.items():
        say(f"{how:<14} median ratio {np.median(found):.2f} [{min(found):.2f}, {max(found):.2f}]")
    say(f"wanted: at most {WANTED} settled")
    return int(np.median(ratios["settled"]) > WANTED)


if __name__ == "__main__":
    sys.exit(main())
