"""The logs of a job: its own, and what it printed before it had one."""

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from prefillroute.errors import UserError
from prefillroute.jobs.states import JobState
from prefillroute.text.printing import say


def log_files(sweep_dir: Path, state: JobState) -> list[Path]:
    """The logs of a job that hold something, its own first; the scheduler's has what killed it.

    Raises:
        UserError: there is none yet.
    """
    own = sorted((sweep_dir / state.folder).glob("*.log"))
    others = [] if state.submission is None else [Path(path) for path in reversed(state.submission.logs)]
    found = [path for path in (*own, *others) if path.exists() and path.stat().st_size]
    if not found:
        raise UserError(f"{sweep_dir / state.folder}: expected a log, found none; the job is {state.state}")
    return found


def last_lines(path: Path, number: int) -> list[str]:
    """The last lines of a file, without line ends."""
    with path.open(encoding="utf-8", errors="replace") as file:
        return [line.rstrip("\n") for line in deque(file, maxlen=max(0, number))]


def follow(path: Path, has_ended: Callable[[], bool], seconds: float = 1.0) -> None:
    """Print what is appended to a file, until `has_ended` says so and the rest is printed."""
    with path.open(encoding="utf-8", errors="replace") as file:
        file.seek(0, 2)
        asked = time.monotonic()
        while True:
            if line := file.readline():
                say(line.rstrip("\n"))
                continue
            if time.monotonic() - asked > 5 * seconds:
                if has_ended():
                    return
                asked = time.monotonic()
            time.sleep(seconds)
