"""The state of a sweep's jobs, read from their folders and, for jobs that were submitted, from their scheduler."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from prefillroute.errors import UserError
from prefillroute.jobs import schedulers
from prefillroute.jobs.feeder import feeder_of
from prefillroute.jobs.schedulers.contract import Place, Scheduler, Submission, read_submission
from prefillroute.jobs.status import STATUS_FILE, Status, read_status
from prefillroute.variants import classes_of

State = Literal["waiting", "running", "finished", "failed", "cancelled", "lost", "missing"]
"""`lost`: it began or was submitted, and ended without a word. `missing`: it never began and nothing will start it."""

PATIENCE_S = 20.0
"""On a network file system another machine sees a file some seconds late."""

Places = Mapping[tuple[str, str], Place]
"""(scheduler, job) -> where it stands; jobs that have ended are left out."""


@dataclass(frozen=True)
class JobState:
    """One job folder of a sweep."""

    folder: str
    """Folder of the job, relative to the sweep's folder."""
    overrides: dict[str, str]
    """What the command line changed for this job."""
    state: State
    error: str | None = None
    """Why it did not finish, in one line; None for a finished job."""
    status: Status | None = None
    """What its folder says."""
    submission: Submission | None = None
    """None if it was never submitted."""

    @property
    def has_ended(self) -> bool:
        """Whether it neither runs nor waits."""
        return self.state not in ("waiting", "running")


def read_states(sweep_dir: Path, places: Places | None = None) -> list[JobState]:
    """Read the state of every job below a sweep's folder, in the order in which they were started.

    A job is judged by its status.json, not by exit codes: a killed job leaves ``running``.

    Args:
        sweep_dir: the sweep's folder.
        places: from `ask_schedulers`; None: jobs are judged by their folders alone.

    Raises:
        UserError: the folder does not exist or holds no job.
    """
    if not sweep_dir.is_dir():
        raise UserError(f"{sweep_dir}: expected the folder of a sweep, found no such folder")
    folders = {path.parent for path in sweep_dir.rglob(STATUS_FILE)}
    folders |= {path.parent for path in sweep_dir.rglob(".hydra") if path.is_dir()}
    folders.discard(sweep_dir)
    if not folders:
        raise UserError(f"{sweep_dir}: expected run folders with a {STATUS_FILE} each, found none")
    fed = feeder_of(sweep_dir) is not None
    return [read_state(folder, sweep_dir, places, fed) for folder in sorted(folders, key=_natural)]


def ask_schedulers(sweep_dir: Path) -> Places:
    """Where the submitted jobs of a sweep stand, with one question to each scheduler.

    Raises:
        UserError: a scheduler does not answer.
    """
    asked: dict[str, list[Submission]] = {}
    for path in sweep_dir.rglob(STATUS_FILE):
        submission, status = read_submission(path.parent), read_status(path.parent)
        if submission is not None and status is not None and status.state in ("waiting", "running"):
            asked.setdefault(submission.scheduler, []).append(submission)
    return {
        (name, job): place
        for name, submissions in asked.items()
        for job, place in scheduler(name).places(submissions).items()
    }


def scheduler(name: str) -> Scheduler:
    """The scheduler that a `Submission` names."""
    return classes_of(schedulers, Scheduler)[name]()


def missing(planned: Sequence[Sequence[str]], begun: Sequence[dict[str, str]]) -> int:
    """Number of planned jobs that left no folder.

    Args:
        planned: overrides of each planned job.
        begun: overrides of each job that has a folder.
    """
    return sum(dict(map(_split, overrides)) not in begun for overrides in planned)


def read_state(folder: Path, sweep_dir: Path, places: Places | None = None, fed: bool = False) -> JobState:
    """The state of one job folder; see `read_states`.

    Args:
        folder: the job's.
        sweep_dir: the sweep's.
        places: where submitted jobs stand; None if their schedulers were not asked.
        fed: whether a command is still running that will submit jobs which wait.
    """
    name = folder.relative_to(sweep_dir).as_posix()
    status = read_status(folder)
    if status is None:
        there = (folder / STATUS_FILE).exists()
        said = "cannot be read" if there else "is missing: the job was killed before it began"
        return JobState(name, {}, "lost", f"{STATUS_FILE} {said}")
    submission = read_submission(folder)
    state, said = _judge(status, submission, places, fed)
    return JobState(
        name,
        dict(map(_split, status.overrides)),
        state,
        None if state == "finished" else said,
        status,
        submission,
    )


def _judge(
    status: Status, submission: Submission | None, places: Places | None, fed: bool
) -> tuple[State, str]:
    """What state a job is in, and why or how far in words."""
    if status.state in ("finished", "failed", "cancelled"):
        return status.state, " ".join((status.error or _WORDS[status.state]).split())
    place = None
    if submission is not None and places is not None:
        place = places.get((submission.scheduler, submission.job))
        if place is not None:
            if place.runs:
                return "running", status.progress or _WORDS["running"]
            again = f", after {status.starts} start{'s' * (status.starts > 1)}" if status.starts else ""
            return "waiting", f"{place.words}{again}"
        seen_at_once = status.holder is not None and status.holder.is_here
        if not seen_at_once and time.time() - max(status.updated, submission.submitted) < PATIENCE_S:
            return status.state, status.progress or _WORDS[status.state]
        return "lost", f"{_WORDS['lost']}; {submission.scheduler} no longer knows job {submission.job}"
    if status.state == "running":
        if status.holder is None or status.holder.gone:
            return "lost", _WORDS["lost"]
        return "running", status.progress or f"{_WORDS['running']}: {status.holder}"
    if submission is not None or fed:
        return "waiting", _WORDS["waiting"]
    return "missing", _WORDS["missing"]


_WORDS: dict[State, str] = {
    "waiting": "waits for its start",
    "running": "still running",
    "finished": "",
    "failed": "no reason was recorded",
    "cancelled": "cancelled",
    "lost": "was killed, or its machine went away",
    "missing": "has not begun",
}


def _split(override: str) -> tuple[str, str]:
    """Split ``+trainer.max_epochs=3`` into key and value."""
    key, _, value = override.partition("=")
    return key.lstrip("+~"), value


def _natural(path: Path) -> list[tuple[int, int | str]]:
    """Sort key under which job 10 follows job 9."""
    pieces = re.split(r"(\d+)", path.as_posix())
    return [(0, int(piece)) if piece.isdigit() else (1, piece) for piece in pieces if piece]
