"""`status.json` of a run folder: what a sweep, its summary and a sweep that goes on believe instead of exit codes.

SLURM reports a job whose Python raised as COMPLETED, and a killed one leaves no return value; the file tells both
apart.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from prefillroute.files import write_text

STATUS_FILE = "status.json"


@dataclass(frozen=True)
class Status:
    """How a job stands; ``running`` on a machine where it no longer runs means that it was killed."""

    state: Literal["running", "finished", "failed"]
    overrides: tuple[str, ...] = ()
    error: str | None = None

    def is_of(self, overrides: tuple[str, ...]) -> bool:
        """Whether this is the status of a job with these overrides; their order does not matter, as keys are unique."""
        return sorted(self.overrides) == sorted(overrides)

    def write(self, folder: Path) -> None:
        """Write atomically, so that a reader never sees half a file."""
        write_text(folder / STATUS_FILE, json.dumps(asdict(self), indent=1) + "\n")


def read_status(folder: Path) -> Status | None:
    """The last status of the job of a folder; None if no job left a complete status.json."""
    try:
        found = json.loads((folder / STATUS_FILE).read_text(encoding="utf-8"))
        return Status(found["state"], tuple(found["overrides"]), found["error"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def run_id(folder: Path) -> str:
    """The id of the job of a folder for services outside: 8 hex digits, the same whenever the job is started again."""
    return hashlib.sha1(str(folder.resolve()).encode()).hexdigest()[:8]
