"""The contract of a scheduler: where each submitted job stands, how it ended, and how to cancel it."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from prefillroute.files import write_text

SUBMISSION_FILE = "submission.json"


@dataclass(frozen=True)
class Submission:
    """`submission.json` of a job's folder: under which name a scheduler knows the job."""

    scheduler: str
    """Name of the module in `jobs.schedulers`."""
    job: str
    """The scheduler's name of the job, for instance `123_4`."""
    logs: tuple[str, ...]
    """Files that get what the job prints."""
    submitted: float
    """Unix time."""
    minutes: float
    """Its time limit."""
    gpus: int = 0
    """GPUs that it holds while it runs."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What else the scheduler needs to find the job again."""

    def write(self, folder: Path) -> None:
        """Write it into the job's folder."""
        write_text(folder / SUBMISSION_FILE, json.dumps(asdict(self), indent=1) + "\n")


def read_submission(folder: Path) -> Submission | None:
    """The last submission of a folder's job; None if it never was submitted."""
    try:
        found = json.loads((folder / SUBMISSION_FILE).read_text(encoding="utf-8"))
        return Submission(**{**found, "logs": tuple(found["logs"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None


@dataclass(frozen=True)
class Place:
    """Where a job stands in its scheduler."""

    runs: bool
    """Whether it has been started and has not ended; else it waits."""
    words: str
    """The scheduler's own, for instance `PENDING (Priority)`."""


class Scheduler(ABC):
    """Asks one kind of scheduler, through its own commands. It keeps nothing."""

    @abstractmethod
    def places(self, submissions: Sequence[Submission]) -> dict[str, Place]:
        """Where jobs stand, by their names; a job that has ended, or that the scheduler does not know, is left out.

        Raises:
            UserError: the scheduler does not answer.
        """

    @abstractmethod
    def ending(self, submission: Submission) -> str:
        """What the scheduler says of a job's end: exit status, peak memory, time. Empty if it says nothing."""

    @abstractmethod
    def cancel(self, submissions: Sequence[Submission]) -> None:
        """End jobs that run, and take those that wait out of the queue. Jobs that have ended are ignored.

        Raises:
            UserError: the scheduler refuses.
        """
