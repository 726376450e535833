"""How far a job is, for whoever looks at its folder while it runs."""

import time
from pathlib import Path

from prefillroute.jobs.status import read_status

SECONDS_BETWEEN_NOTES = 5.0


class JobProgress:
    """Notes the progress of a job in its `status.json`, every few seconds at most.

    Args:
        folder: the job's folder; nothing is noted in one without a running job.
        seconds: the least time between two notes.

    Example:
        >>> JobProgress(Path("no-such-folder"))("epoch 12 of 150")
    """

    def __init__(self, folder: Path, seconds: float = SECONDS_BETWEEN_NOTES) -> None:
        self.folder, self._seconds = folder, seconds
        self._noted = -float("inf")

    def __call__(self, words: str) -> None:
        """Note how far the job is, in words that change as it goes on."""
        now = time.monotonic()
        if now - self._noted < self._seconds:
            return
        self._noted = now
        status = read_status(self.folder)
        if status is not None and status.state == "running":
            try:
                status.now("running", progress=words).write(self.folder)
            except OSError:
                return  # a full disk ends the job where its results are written, not here
