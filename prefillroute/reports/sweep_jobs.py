"""The state of a sweep's jobs: which finished and with what numbers, and which failed and why."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefillroute.errors import UserError
from prefillroute.jobs.states import JobState, read_states
from prefillroute.reports.headline import number
from prefillroute.reports.run_folder import read_metrics


@dataclass(frozen=True)
class Job:
    """One run folder of a sweep."""

    folder: str
    """Folder of the job, relative to the sweep's folder."""
    overrides: dict[str, str]
    """What the command line changed for this job."""
    error: str | None = None
    """Why there are no numbers, in one line; None for a finished job."""
    metrics: dict[str, Any] | None = None
    """Its metrics.json; None for a failed job."""

    @property
    def predictor(self) -> frozenset[tuple[str, str]]:
        """Identifies what was trained; jobs that differ only in their calibration share it."""
        return frozenset((key, value) for key, value in self.overrides.items() if key != "calibration")

    def value(self, key: str) -> float | None:
        """A global test metric; None if it is null or the job failed."""
        return None if self.metrics is None else number(self.metrics["test"], key)


def read_jobs(sweep_dir: Path) -> list[Job]:
    """Read every job folder below a sweep's folder, in the order in which they were started.

    A job is judged by its status.json and metrics.json, not by its exit code: a killed job stays ``running``.

    Raises:
        UserError: the folder does not exist or holds no job.
    """
    return [_read_job(state, sweep_dir) for state in read_states(sweep_dir)]


def _read_job(state: JobState, sweep_dir: Path) -> Job:
    if state.error is not None:
        return Job(state.folder, state.overrides, state.error)
    try:
        return Job(state.folder, state.overrides, metrics=read_metrics(sweep_dir / state.folder))
    except UserError as error:
        return Job(state.folder, state.overrides, str(error))
