"""`status.json` of a run folder: what a sweep, its summary and a sweep that goes on believe instead of exit codes.

SLURM reports a job whose Python raised as COMPLETED, and a killed one leaves no return value; the file tells both
apart.
"""

import json
import secrets
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from prefillroute.files import write_text
from prefillroute.locks.holder import Holder

STATUS_FILE = "status.json"


@dataclass(frozen=True)
class Status:
    """How a job stands; ``running`` on a machine where it no longer runs means that it was killed."""

    state: Literal["waiting", "running", "finished", "failed", "cancelled"]
    """`waiting`: its folder was made for it, and it has not begun, or it will begin again after an interruption."""
    overrides: tuple[str, ...] = ()
    error: str | None = None
    run_id: str = field(default_factory=lambda: secrets.token_hex(4), compare=False)
    """Names the job to services such as W&B; stays the same however often the job starts."""
    starts: int = field(default=0, compare=False)
    """How often it began, the first time included."""
    seconds: float = field(default=0.0, compare=False)
    """Wall time of all its starts up to `updated`."""
    updated: float = field(default_factory=time.time, compare=False)
    """Unix time of this entry."""
    progress: str = field(default="", compare=False)
    """How far it is, in words, for instance `epoch 12 of 150`."""
    results: tuple[str, ...] = field(default=(), compare=False)
    """Paths of the files that a finished job wrote, without which its results are not whole."""
    stalled: int = field(default=0, compare=False)
    """How often in a row it was interrupted without having made progress."""
    holder: Holder | None = field(default=None, compare=False)
    """The process that runs it; None unless it runs."""

    def is_of(self, overrides: tuple[str, ...]) -> bool:
        """Whether this is the status of a job with these overrides; their order does not matter, as keys are unique."""
        return sorted(self.overrides) == sorted(overrides)

    @property
    def is_whole(self) -> bool:
        """Whether the job finished and its results are still there."""
        return self.state == "finished" and all(Path(path).exists() for path in self.results)

    def begun(self) -> "Status":
        """The status after one more start, by this process."""
        return replace(
            self, state="running", error=None, starts=self.starts + 1, updated=time.time(), holder=Holder.me()
        )

    def now(
        self,
        state: Literal["waiting", "running", "finished", "failed", "cancelled"],
        error: str | None = None,
        progress: str | None = None,
    ) -> "Status":
        """The status at this moment: the time since the last entry counts for a job that was running."""
        passed = max(0.0, time.time() - self.updated) if self.state == "running" else 0.0
        return replace(
            self,
            state=state,
            error=error,
            seconds=self.seconds + passed,
            updated=time.time(),
            progress=self.progress if progress is None else progress,
            holder=self.holder if state == "running" else None,
        )

    def write(self, folder: Path) -> None:
        """Write atomically, so that a reader never sees half a file."""
        write_text(folder / STATUS_FILE, json.dumps(asdict(self), indent=1) + "\n")


def read_status(folder: Path) -> Status | None:
    """The last status of the job of a folder; None if no job left a complete status.json."""
    try:
        found = json.loads((folder / STATUS_FILE).read_text(encoding="utf-8"))
        # Older files have only the first three.
        keys = ("run_id", "starts", "seconds", "updated", "progress", "stalled")
        more = {key: found[key] for key in keys if key in found}
        holder = Holder(**found["holder"]) if found.get("holder") else None
        results = tuple(found.get("results", ()))
        return Status(
            found["state"], tuple(found["overrides"]), found["error"], results=results, holder=holder, **more
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def run_id(folder: Path) -> str:
    """The name of a folder's job for services such as W&B: 8 hexadecimal digits that stay through all its starts.

    A folder without a status.json, as of a call from Python, gets a name of its own each time.
    """
    status = read_status(folder)
    return secrets.token_hex(4) if status is None else status.run_id
