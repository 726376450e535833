"""Progress of a collection: a bar per target on a terminal, a line now and then in a log file."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from prefillroute.text.screen import Screen, Words


class Tally:
    """Counts answers, failures and cost; a subclass shows them.

    Args:
        total: target -> number of questions in this run.
        spent_usd: USD spent by earlier runs.
    """

    def __init__(self, total: Mapping[str, int], spent_usd: float) -> None:
        self.total, self.spent_usd = dict(total), spent_usd
        self.answered: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        """Error message of failed calls -> how often it occurred."""

    def count_answer(self, target: str, cost_usd: float) -> None:
        """Count an answer; its cost is 0 if the ledger already had it."""
        self.answered[target] += 1
        self.spent_usd += cost_usd
        self.show(target)

    def count_failure(self, target: str, reason: str) -> None:
        """Count a call whose attempts have all failed."""
        self.failures[target] += 1
        self.reasons[reason] += 1
        self.show(target)

    def show(self, target: str) -> None:
        """Show a change in this target's counts. Does nothing here; subclasses override it."""


class BarTally(Tally):
    """Shows a bar per target with its failures, and one bar for all targets with the cost so far."""

    def __init__(self, total: Mapping[str, int], spent_usd: float, screen: Screen) -> None:
        super().__init__(total, spent_usd)
        self.bars = Progress(
            Words(),
            BarColumn(),
            MofNCompleteColumn(),
            Words("note"),
            TimeRemainingColumn(),
            console=screen,
        )
        self._bars = {name: self.bars.add_task(name, total=count, note="") for name, count in total.items()}
        self._all = self.bars.add_task("all", total=sum(total.values()), note=_usd(spent_usd))

    def show(self, target: str) -> None:
        """Advance the bars."""
        failed = self.failures[target]
        self.bars.update(self._bars[target], advance=1, note=f"{failed} failed" if failed else "")
        self.bars.update(self._all, advance=1, note=_usd(self.spent_usd))


class LineTally(Tally):
    """Prints a line at intervals: calls done, failures, cost so far, minutes left."""

    def __init__(
        self,
        total: Mapping[str, int],
        spent_usd: float,
        screen: Screen,
        seconds_between_lines: float = 30.0,
    ) -> None:
        super().__init__(total, spent_usd)
        self._screen, self._between = screen, seconds_between_lines
        self._started = self._said = time.monotonic()

    def show(self, target: str) -> None:
        """Print a line if the interval has passed."""
        now = time.monotonic()
        if now - self._said < self._between:
            return
        self._said = now
        failed, total = self.failures.total(), sum(self.total.values())
        done = self.answered.total() + failed
        minutes = (total - done) * (now - self._started) / done / 60
        self._screen.print(
            f"collecting: {done:,} of {total:,} calls, {failed:,} failed, {_usd(self.spent_usd)}, "
            f"{minutes:.0f} min left"
        )


@contextmanager
def collection_progress(total: Mapping[str, int], spent_usd: float) -> Iterator[Tally]:
    """Yield a tally that suits standard error: bars on a terminal, lines in a file."""
    screen = Screen(stderr=True)
    if not screen.is_terminal:
        yield LineTally(total, spent_usd, screen)
        return
    shown = BarTally(total, spent_usd, screen)
    with shown.bars:
        yield shown


def _usd(amount: float) -> str:
    return f"{amount:,.4f} USD so far"
