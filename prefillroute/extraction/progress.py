"""Progress of an extraction: a bar on a terminal, an occasional line in a log file."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TimeRemainingColumn,
)

from prefillroute.text.screen import Screen, Words

SECONDS_OF_A_SPEED = 2.0


class ExtractionProgress(Protocol):
    """Receives the amount of work and the progress made."""

    def start(self, rows: int, tokens: int) -> None:
        """`rows` queries with `tokens` tokens in total will be extracted."""

    def advance(self, rows: int, tokens: int) -> None:
        """This many more are done."""

    def stop(self) -> None:
        """The extraction has ended."""


class Silent:
    """Shows nothing."""

    def start(self, rows: int, tokens: int) -> None:
        """Nothing."""

    def advance(self, rows: int, tokens: int) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""


class _TokensPerSecond(ProgressColumn):
    def render(self, task: Task) -> str:
        speed = task.finished_speed or task.speed
        return f"{speed:,.0f} tokens/s" if speed else "- tokens/s"


class RichProgress:
    """A bar with queries done, tokens per second and time left; bar and time are based on tokens."""

    def __init__(self, screen: Screen) -> None:
        self._bar = Progress(
            Words(),
            BarColumn(),
            Words("queries"),
            _TokensPerSecond(),
            TimeRemainingColumn(),
            Words("left"),
            console=screen,
            speed_estimate_period=60,
        )
        self._rows = self._all_rows = 0
        self._task = self._bar.add_task("extracting", total=None, queries=self._queries(), left="left")

    def start(self, rows: int, tokens: int) -> None:
        """Show the bar."""
        self._all_rows = rows
        self._bar.update(self._task, total=tokens, queries=self._queries())
        self._bar.start()

    def advance(self, rows: int, tokens: int) -> None:
        """Move the bar."""
        self._rows += rows
        self._bar.update(self._task, advance=tokens, queries=self._queries())

    def stop(self) -> None:
        """Leave the bar as it is."""
        self._bar.stop()

    def _queries(self) -> str:
        return f"{self._rows:,}/{self._all_rows:,} queries"


class LineProgress:
    """An occasional line for log files: queries done, tokens per second, minutes left."""

    def __init__(self, screen: Screen, seconds_between_lines: float = 30.0) -> None:
        self._screen, self._between = screen, seconds_between_lines
        self._rows = self._tokens = self._all_rows = self._all_tokens = 0
        self._started = self._said = time.monotonic()

    def start(self, rows: int, tokens: int) -> None:
        """Print the amount of work."""
        self._all_rows, self._all_tokens = rows, tokens
        self._started = self._said = time.monotonic()
        if rows:
            self._say(f"extracting {rows:,} queries, {tokens:,} tokens")

    def advance(self, rows: int, tokens: int) -> None:
        """Count, and print a line when it is due."""
        self._rows, self._tokens = self._rows + rows, self._tokens + tokens
        now = time.monotonic()
        if now - self._said < self._between:
            return
        self._said = now
        speed = self._tokens / (now - self._started)
        minutes = (self._all_tokens - self._tokens) / speed / 60
        self._say(
            f"extracting: {self._rows:,} of {self._all_rows:,} queries, {speed:,.0f} tokens/s, {minutes:.0f} min left"
        )

    def stop(self) -> None:
        """Do nothing: the report comes next."""

    def _say(self, line: str) -> None:
        self._screen.print(line)


class NotedProgress:
    """Passes progress on to another one, and notes it in words.

    Args:
        shown: gets everything.
        note: is told how far the extraction is.
    """

    def __init__(self, shown: ExtractionProgress, note: Callable[[str], None]) -> None:
        self._shown, self._note = shown, note
        self._rows = self._tokens = self._all_rows = 0
        self._started = time.monotonic()

    def start(self, rows: int, tokens: int) -> None:
        """Pass it on."""
        self._all_rows, self._started = rows, time.monotonic()
        self._shown.start(rows, tokens)

    def advance(self, rows: int, tokens: int) -> None:
        """Pass it on and note it."""
        self._rows, self._tokens = self._rows + rows, self._tokens + tokens
        self._shown.advance(rows, tokens)
        seconds = time.monotonic() - self._started
        # A speed over less than some seconds says nothing: the first batch is under way before the work is counted.
        speed = f", {self._tokens / seconds:,.0f} tokens/s" if seconds > SECONDS_OF_A_SPEED else ""
        self._note(f"{self._rows:,} of {self._all_rows:,} queries{speed}")

    def stop(self) -> None:
        """Pass it on."""
        self._shown.stop()


@contextmanager
def extraction_progress(note: Callable[[str], None]) -> Iterator[ExtractionProgress]:
    """The progress that suits standard error, a bar on a terminal or lines in a file; it is noted too.

    Args:
        note: is told how far the extraction is, see `jobs.progress.JobProgress`.
    """
    screen = Screen(stderr=True)
    shown = NotedProgress(RichProgress(screen) if screen.is_terminal else LineProgress(screen), note)
    try:
        yield shown
    finally:
        shown.stop()
