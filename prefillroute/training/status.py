"""`status.json` of a run folder: what a sweep's summary believes instead of exit codes.

SLURM reports a job whose Python raised as COMPLETED, and a killed one leaves no return value; the file tells both
apart.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

STATUS_FILE = "status.json"


@dataclass(frozen=True)
class Status:
    """How a job stands; ``running`` on a machine where it no longer runs means that it was killed."""

    state: Literal["running", "finished", "failed"]
    overrides: tuple[str, ...] = ()
    error: str | None = None

    def write(self, folder: Path) -> None:
        """Write atomically, so that a reader never sees half a file."""
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / STATUS_FILE, json.dumps(asdict(self), indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write ``path`` under a temporary name first; the final name never holds half a file."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
