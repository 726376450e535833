"""Shows progress: as a bar on a terminal, as an occasional line in a log file, and as a note in the job's folder."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich import progress as bars

from prefillroute.layers.table import Progress
from prefillroute.text.screen import Screen, Words

log = logging.getLogger(__name__)


Note = Callable[[str], None]
"""Takes words that say how far a job is, see `jobs.progress.JobProgress`."""


def no_note(words: str) -> None:
    """For computations that are no job's."""


@contextmanager
def progress_bar(title: str, note: Note = no_note, seconds_between_lines: float = 30.0) -> Iterator[Progress]:
    """Yield a callback that shows the progress of a long computation and notes it."""
    with _shown(title, seconds_between_lines) as show:

        def report(done: int, total: int, step: str) -> None:
            show(done, total, step)
            note(f"{title}: {done} of {total}")

        yield report


@contextmanager
def _shown(title: str, seconds_between_lines: float) -> Iterator[Progress]:
    screen = Screen(stderr=True)
    if not screen.is_terminal:
        yield _lines(title, seconds_between_lines)
        return
    columns = (
        Words(), bars.BarColumn(), bars.MofNCompleteColumn(),
        bars.TimeElapsedColumn(), bars.TimeRemainingColumn(), Words("step"),
    )  # fmt: skip
    with bars.Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task(title, total=None, step="")
        yield lambda done, total, step: bar.update(task, completed=done, total=total, step=step)


def _lines(title: str, seconds: float) -> Progress:
    last = time.monotonic()

    def report(done: int, total: int, step: str) -> None:
        nonlocal last
        if time.monotonic() - last >= seconds:
            last = time.monotonic()
            log.info("%s: %d of %d (%s)", title, done, total, step)

    return report
