"""The state of a sweep's jobs: which finished, with what numbers, and which failed, for what reason."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefillroute.errors import UserError
from prefillroute.jobs.status import STATUS_FILE, read_status
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

    A job is judged by its status.json and metrics.json, not by exit codes: a killed job leaves ``running``.

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
    return [_read_job(folder, sweep_dir) for folder in sorted(folders, key=_natural)]


def num_missing(planned: Sequence[Sequence[str]], jobs: Sequence[Job]) -> int:
    """Number of planned jobs, identified by their overrides, that left no folder."""
    begun = [job.overrides for job in jobs]
    return sum(dict(map(_split, overrides)) not in begun for overrides in planned)


def _read_job(folder: Path, sweep_dir: Path) -> Job:
    name = folder.relative_to(sweep_dir).as_posix()
    status = read_status(folder)
    if status is None:
        there = (folder / STATUS_FILE).exists()
        return Job(
            name,
            {},
            f"{STATUS_FILE} cannot be read" if there else f"left no {STATUS_FILE}: killed before it began",
        )
    overrides = dict(map(_split, status.overrides))
    if status.state == "running":
        return Job(name, overrides, "still marked as running: killed, or not ended yet")
    if status.state != "finished":
        return Job(name, overrides, " ".join((status.error or "no reason was recorded").split()))
    try:
        return Job(name, overrides, metrics=read_metrics(folder))
    except UserError as error:
        return Job(name, overrides, str(error))


def _split(override: str) -> tuple[str, str]:
    """Split ``+trainer.max_epochs=3`` into key and value."""
    key, _, value = override.partition("=")
    return key.lstrip("+~"), value


def _natural(path: Path) -> list[tuple[int, int | str]]:
    """Sort key under which job 10 follows job 9."""
    pieces = re.split(r"(\d+)", path.as_posix())
    return [(0, int(piece)) if piece.isdigit() else (1, piece) for piece in pieces if piece]
