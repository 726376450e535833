"""Runs of a comparison, each trained by `python train.py` in its own process; finished ones are kept."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.comparing.grid import Choice
from prefillroute.jobs.job import finished_earlier
from prefillroute.jobs.status import read_status
from prefillroute.reports.run_folder import has_metrics
from prefillroute.text import hints
from prefillroute.text.printing import say

TRAIN = Path(__file__).resolve().parents[2] / "train.py"


@dataclass(frozen=True)
class Job:
    """One router on one pool."""

    name: str
    overrides: tuple[str, ...]
    folder: Path

    @property
    def command(self) -> list[str]:
        """What is run."""
        return [sys.executable, str(TRAIN), *self.overrides, f"hydra.run.dir={self.folder}"]


def pool_jobs(
    pool: str, reference: str, choices: Sequence[Choice], out: Path, overrides: Sequence[str] = ()
) -> list[Job]:
    """The reference first, then the choices; folders are ``<out>/<pool>/<name>``.

    Args:
        pool: option of the group.
        reference: the name that the paper's router goes by here.
        choices: predictors to compare it with.
        out: folder of the comparison.
        overrides: further ones, of every run.
    """
    common = (f"pool={pool}", *overrides)
    jobs = [Job(reference, ("signal=prefill", "head=shared_trunk", *common), out / pool / reference)]
    for choice in choices:
        own = [f"experiment=semantic/{choice.name}"]
        if choice.calibration is not None:
            own.append(f"calibration={choice.calibration}")
        jobs.append(Job(choice.name, (*own, *common), out / pool / choice.name))
    return jobs


def train(job: Job) -> bool:
    """Train unless the folder holds a finished run of the same overrides; whether there is one now."""
    if finished_earlier(job.folder, job.overrides, has_metrics):
        say(f"{job.folder}: finished earlier")
        return True
    status = read_status(job.folder)
    if status is not None and not status.is_of(job.overrides):
        shutil.rmtree(job.folder)  # another definition: its files may not be taken for this run's
    say(hints.command("python", "train.py", *job.command[2:]))
    return subprocess.run(job.command, check=False).returncode == 0
