"""What it costs to run a training as a job: in one process, in a sweep, by a launcher of this machine, by SLURM.

    slurm/local_cluster.sh start                          # without it SLURM is left out
    python -m experiments.benchmarks.job_overhead         # 3 rounds

Each round runs the same training on the starter pool every way, one after another. Work is the time that the run itself
counts (`timings_s` in metrics.json: outcomes, features, head, evaluation); the rest of the command's time on the clock
goes into starting Python, composing, submitting, waiting, and writing report and bundle, which are left out here.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from prefillroute.text.printing import say

TRAINING = (
    "pool=starter", "head=logistic", "layers=fixed", "report=false", "bundle=false", "evaluation.num_resamples=100",
)  # fmt: skip
SLURM = ("-m", "hydra/launcher=slurm_cpu", "hydra.launcher.cpus_per_task=1", "hydra.launcher.mem_gb=3")
WAYS = {"one run": (), "sweep": ("-m",), "local": ("-m", "hydra/launcher=local"), "slurm": SLURM}


def run(folder: Path, *words: str) -> float:
    """Seconds of a command on the clock.

    Raises:
        RuntimeError: it failed; its output is in the message.
    """
    started = time.perf_counter()
    command = [sys.executable, "-m", "prefillroute.cli.main", *words]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return time.perf_counter() - started


def main() -> None:
    """Print seconds of work and of everything else."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    ways = dict(WAYS)
    if shutil.which("sinfo") is None or subprocess.run(["sinfo"], capture_output=True).returncode:
        say("no SLURM here")
        del ways["slurm"]
    whole: dict[str, list[float]] = {name: [] for name in ways}
    work: dict[str, list[float]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        say(f"extracting the starter pool: {run(folder, 'extract', 'pool=starter'):.0f} s")
        for number in range(arguments.rounds):
            for way, words in ways.items():
                out = folder / "runs" / f"{way.replace(' ', '_')}{number}"
                where = f"hydra.{'sweep' if words else 'run'}.dir={out}"
                whole[way].append(run(folder, "train", *TRAINING, *words, where))
                metrics = json.loads(((out / "0" if words else out) / "metrics.json").read_text())
                work[way].append(sum(metrics["timings_s"].values()))
                say(f"{way:<8} {whole[way][-1]:6.1f} s, of it {work[way][-1]:5.1f} s work")
    bare = np.median(np.subtract(whole["one run"], work["one run"]))
    for way in ways:
        rest = np.median(np.subtract(whole[way], work[way]))
        say(f"{way:<8} median {rest:5.1f} s besides its work, {rest - bare:+5.1f} s against one run")


if __name__ == "__main__":
    main()
