"""The state of a sweep's jobs, read from their folders: which finished, and why the others did not."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prefillroute.errors import UserError
from prefillroute.jobs.status import STATUS_FILE, read_status


@dataclass(frozen=True)
class JobState:
    """One job folder of a sweep."""

    folder: str
    """Folder of the job, relative to the sweep's folder."""
    overrides: dict[str, str]
    """What the command line changed for this job."""
    error: str | None = None
    """Why it did not finish, in one line; None for a finished job."""


def read_states(sweep_dir: Path) -> list[JobState]:
    """Read the state of every job below a sweep's folder, in the order in which they were started.

    A job is judged by its status.json, not by exit codes: a killed job leaves ``running``.

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
    return [_state(folder, sweep_dir) for folder in sorted(folders, key=_natural)]


def missing(planned: Sequence[Sequence[str]], begun: Sequence[dict[str, str]]) -> int:
    """Number of planned jobs that left no folder.

    Args:
        planned: overrides of each planned job.
        begun: overrides of each job that has a folder.
    """
    return sum(dict(map(_split, overrides)) not in begun for overrides in planned)


def _state(folder: Path, sweep_dir: Path) -> JobState:
    name = folder.relative_to(sweep_dir).as_posix()
    status = read_status(folder)
    if status is None:
        there = (folder / STATUS_FILE).exists()
        return JobState(
            name,
            {},
            f"{STATUS_FILE} cannot be read" if there else f"left no {STATUS_FILE}: killed before it began",
        )
    overrides = dict(map(_split, status.overrides))
    if status.state == "running":
        return JobState(name, overrides, "still marked as running: killed, or not ended yet")
    if status.state != "finished":
        return JobState(name, overrides, " ".join((status.error or "no reason was recorded").split()))
    return JobState(name, overrides)


def _split(override: str) -> tuple[str, str]:
    """Split ``+trainer.max_epochs=3`` into key and value."""
    key, _, value = override.partition("=")
    return key.lstrip("+~"), value


def _natural(path: Path) -> list[tuple[int, int | str]]:
    """Sort key under which job 10 follows job 9."""
    pieces = re.split(r"(\d+)", path.as_posix())
    return [(0, int(piece)) if piece.isdigit() else (1, piece) for piece in pieces if piece]
