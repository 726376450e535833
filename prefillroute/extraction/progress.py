"""What is shown while an extraction runs."""

from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class ExtractionProgress(Protocol):
    """Told how much there is and what was done."""

    def start(self, rows: int, tokens: int) -> None:
        """`rows` queries of together `tokens` tokens are going to be extracted."""

    def advance(self, rows: int, tokens: int) -> None:
        """So many more are done."""

    def stop(self) -> None:
        """The extraction ended."""


class Silent:
    """Shows nothing."""

    def start(self, rows: int, tokens: int) -> None:
        """Nothing."""

    def advance(self, rows: int, tokens: int) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""


class _TokensPerSecond(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} tokens/s" if speed else "- tokens/s", style="progress.data.speed")


class RichProgress:
    """A bar with queries done, tokens per second and time left, both reckoned in tokens."""

    def __init__(self, console: Console | None = None) -> None:
        self._bar = Progress(
            TextColumn("extracting"),
            BarColumn(),
            TextColumn("{task.fields[rows]:,}/{task.fields[all_rows]:,} queries"),
            _TokensPerSecond(),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=console or Console(stderr=True),
            speed_estimate_period=60,
        )
        self._task = self._bar.add_task("", total=None, rows=0, all_rows=0)

    def start(self, rows: int, tokens: int) -> None:
        """Show the bar."""
        self._bar.update(self._task, total=tokens, all_rows=rows)
        self._bar.start()

    def advance(self, rows: int, tokens: int) -> None:
        """Move the bar."""
        done = self._bar.tasks[0].fields["rows"]
        self._bar.update(self._task, advance=tokens, rows=done + rows)

    def stop(self) -> None:
        """Leave the bar as it is."""
        self._bar.stop()

    def __enter__(self) -> "RichProgress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
