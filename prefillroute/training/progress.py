"""A progress bar on a terminal, an occasional line in a log file."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from prefillroute.text.screen import Screen, Words

log = logging.getLogger(__name__)

Report = Callable[[int, int, str], None]
"""Receives the steps done, the total number of steps, and what was just done."""


@contextmanager
def progress_bar(title: str, seconds_between_lines: float = 30.0) -> Iterator[Report]:
    """Yield a callback that shows the progress of a long computation."""
    screen = Screen(stderr=True)
    if not screen.is_terminal:
        yield _lines(title, seconds_between_lines)
        return
    columns = (
        Words(), BarColumn(), MofNCompleteColumn(),
        TimeElapsedColumn(), TimeRemainingColumn(), Words("step"),
    )  # fmt: skip
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task(title, total=None, step="")
        yield lambda done, total, step: bar.update(task, completed=done, total=total, step=step)


def _lines(title: str, seconds: float) -> Report:
    last = time.monotonic()

    def report(done: int, total: int, step: str) -> None:
        nonlocal last
        if time.monotonic() - last >= seconds:
            last = time.monotonic()
            log.info("%s: %d of %d (%s)", title, done, total, step)

    return report
