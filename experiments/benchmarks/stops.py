"""What a preemption costs: seconds of work that a stopped job does again, and whether its results are the same.

    slurm/local_cluster.sh start
    python -m experiments.benchmarks.stops               # 20 preemptions, half of an extraction, half of trainings
    python -m experiments.benchmarks.stops --stops 4

Jobs run on the cluster of slurm/local_cluster.sh. At random moments a job with precedence takes their place; they get
SIGTERM, are queued again and continue. Redone is the time from the last row, layer or epoch that is on the disk to the
signal; starting anew is the time until a job that runs again says how far it is. At the end everything is compared with
jobs that nobody stopped: the cache row by row, the metrics to the bit.
"""

import argparse
import itertools
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from prefillroute.caches.reader import ActivationCache
from prefillroute.config.compose import compose_run
from prefillroute.jobs.states import JobState, ask_schedulers, read_states
from prefillroute.outcomes.files import read_outcomes
from prefillroute.text.printing import say

LAUNCHER = (
    "hydra/launcher=slurm_cpu",
    "hydra.launcher.cpus_per_task=1",
    "hydra.launcher.mem_gb=3",
    "--detach",
)
TRAINING = (
    "train", "-m", "pool=starter", "trainer.patience=1000", "trainer.max_epochs=60", "report=false", "bundle=false",
    "evaluation.num_resamples=0", "layers.dims=[50]",
)  # fmt: skip
PRECEDENCE = ("sbatch", "--partition=high", "--exclusive", "--mem=100M", "--output=/dev/null", "--wrap=true")


@dataclass
class Stops:
    """What was measured, seconds."""

    redone: list[float] = field(default_factory=list)
    restart: list[float] = field(default_factory=list)


def prefillroute(folder: Path, *words: str) -> None:
    """Run a command in a folder, silently.

    Raises:
        RuntimeError: it failed; its output is in the message.
    """
    command = [sys.executable, "-m", "prefillroute.cli.main", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")


def job_of(sweep: Path) -> JobState:
    """The one job of a sweep.

    Raises:
        RuntimeError: it ended without having finished.
    """
    (job,) = read_states(sweep, ask_schedulers(sweep))
    if job.has_ended and job.state != "finished":
        lines = next((sweep / job.folder).glob("*.log")).read_text().splitlines()
        raise RuntimeError("\n".join([f"{job.state}: {job.error}; {job.status}", *lines[-20:]]))
    return job


def disturb(sweep: Path, saved: Sequence[Path], stops: Stops, most: int, draw: random.Random) -> None:
    """Preempt a job at random moments until it has finished, or until so many stops have been measured.

    Args:
        sweep: its sweep's folder.
        saved: folders of the files in which it keeps its work.
        stops: gets the seconds.
        most: stops that `stops` may hold.
        draw: draws the moments.
    """
    started, seen = time.time(), ""
    while not (job := job_of(sweep)).has_ended:
        status = job.status
        if job.state != "running" or status is None or status.progress in ("", seen):
            time.sleep(0.3)
            continue
        if seen:
            stops.restart.append(time.time() - started)
        if len(stops.redone) == most:
            wait_for_end(sweep)
            return
        time.sleep(draw.uniform(0.5, 12))
        subprocess.run(PRECEDENCE, check=True, capture_output=True)
        while (job := job_of(sweep)).state == "running":
            time.sleep(0.3)
        if job.has_ended:
            return
        assert job.status is not None
        signalled = signal_times(sweep / job.folder)[-1]
        stops.redone.append(max(0.0, signalled - newest(saved, signalled)))
        say(f"  stopped at {job.status.progress}: {stops.redone[-1]:.2f} s to do again")
        seen = job.status.progress
        while (job := job_of(sweep)).state == "waiting":
            time.sleep(0.3)
        started = time.time()


def wait_for_end(sweep: Path) -> None:
    """Wait until the job has ended."""
    while not job_of(sweep).has_ended:
        time.sleep(0.5)


def signal_times(folder: Path) -> list[float]:
    """Unix times at which a job was told to stop, from its log."""
    (log,) = folder.glob("*.log")
    lines = [line for line in log.read_text().splitlines() if "SIGTERM: saved" in line]
    return [datetime.strptime(line[1:24], "%Y-%m-%d %H:%M:%S,%f").timestamp() for line in lines]


def newest(folders: Sequence[Path], before: float) -> float:
    """Unix time of the last change below folders up to a moment; the moment itself if there was none."""
    times = [path.stat().st_mtime for folder in folders for path in folder.rglob("*") if path.is_file()]
    return max((changed for changed in times if changed <= before), default=before)


def extraction(folder: Path, most: int, draw: random.Random) -> Stops:
    """Stop an extraction; compare its cache."""
    stops = Stops()
    say("extraction: smollm2_135m on starter")
    for number in itertools.count():
        if len(stops.redone) == most:
            break
        sweep, caches = folder / "runs" / f"extract{number}", folder / f"stopped{number}"
        options = (f"hydra.sweep.dir={sweep}", f"paths.caches={caches}")
        prefillroute(folder, "extract", "-m", "pool=starter", *options, *LAUNCHER)
        disturb(sweep, [caches], stops, most, draw)
        wrong = compare_caches(folder / "caches", caches)
        say(f"  {job_of(sweep).state}; rows that differ or are missing: {wrong}")
    return stops


def compare_caches(one: Path, other: Path) -> int:
    """Rows of a cache that another lacks, or holds with a value that differs in any layer or pooling."""
    caches = [ActivationCache(next(folder.glob("*.h5"))) for folder in (one, other)]
    ids = starter_ids()
    views = [cache.select(ids) for cache in caches]
    wrong = np.zeros(len(ids), dtype=bool)
    for layer, pooling in itertools.product(views[0].layer_ids, views[0].poolings):
        wrong |= (views[0].read(layer, pooling) != views[1].read(layer, pooling)).any(axis=1)
    return int(wrong.sum())


def starter_ids() -> list[str]:
    """The queries of the starter pool."""
    config = compose_run(["pool=starter"])
    return list(read_outcomes(Path(config.pool.outcomes)).queries["query_id"])


def trainings(folder: Path, most: int, draw: random.Random) -> Stops:
    """Stop trainings, one seed after another; compare their metrics."""
    stops = Stops()
    say(
        "training: shared_trunk on starter, 60 epochs, 6 out-of-fold and final ensembles; layer choice included"
    )
    for seed in itertools.count():
        if len(stops.redone) == most:
            break
        undisturbed, sweep = folder / "runs" / f"alone{seed}", folder / "runs" / f"train{seed}"
        prefillroute(
            folder, *TRAINING, f"seed={seed}", f"hydra.sweep.dir={undisturbed}", "paths.caches=caches"
        )
        memo = folder / "caches" / "layer_scores"
        memo.rename(folder / f"layer_scores{seed}")  # so that the stopped job chooses its layers as well
        prefillroute(
            folder, *TRAINING, f"seed={seed}", f"hydra.sweep.dir={sweep}", "paths.caches=caches", *LAUNCHER
        )
        saved = [sweep / "0" / "checkpoints", memo]
        disturb(sweep, saved, stops, most, draw)
        same = metrics(undisturbed) == metrics(sweep)
        say(f"  {job_of(sweep).state}; metrics {'equal to the bit' if same else 'DIFFER'}")
    return stops


def metrics(sweep: Path) -> dict[str, object]:
    """`metrics.json` of the one job of a sweep, without what the clock says."""
    found = json.loads((sweep / "0" / "metrics.json").read_text())
    return {key: value for key, value in found.items() if key != "timings_s"}


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stops", type=int, default=20, help="preemptions in all")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prefillroute(folder, "extract", "pool=starter")
        half = arguments.stops // 2
        measured = {
            "extraction": extraction(folder, half, draw),
            "training": trainings(folder, arguments.stops - half, draw),
        }
    for name, stops in measured.items():
        say(
            f"{name:<10} {len(stops.redone)} stops: redone median {np.median(stops.redone):.2f} s, most "
            f"{max(stops.redone):.2f} s; starting anew median {np.median(stops.restart):.1f} s"
        )


if __name__ == "__main__":
    main()
