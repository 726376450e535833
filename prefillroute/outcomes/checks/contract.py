"""What every check of a pool does, and what it looks at."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from prefillroute.config.facts import TargetConfig
from prefillroute.outcomes.table import Outcomes
from prefillroute.text.hints import listed

ERROR, WARNING, NOTE = SEVERITIES = ("error", "warning", "note")
"""`error`: training refuses, or its numbers will be wrong. `warning`: they may be. `note`: worth knowing."""
NAMES_SHOWN = 6
"""Targets that a line names; of more it says how many."""


@dataclass(frozen=True)
class Finding:
    """One thing that was found."""

    severity: str
    about: str
    """One or two words, such as `prices`."""
    what: str
    """What was found, in one line."""
    remedy: str
    """What to do about it, in one line; empty if nothing need be done."""


@dataclass(frozen=True)
class Evidence:
    """A pool as its checks see it."""

    targets: Sequence[TargetConfig]
    """Those of a run, in pool order."""
    today: date
    """For the age of prices."""
    stale_months: int
    """A price that is older should be looked up again."""
    excluded: Sequence[str] = ()
    """Targets that the pool leaves out already; an override that leaves out more repeats them."""
    outcomes: Outcomes | None = None
    """Of those targets that the table has; None if there is no table, or none that can be read."""
    estimated: tuple[int, int] = (0, 0)
    """Outcomes whose token counts are estimates, and outcomes with any token counts."""
    how_estimated: str | None = None
    """In the pool's own words."""

    @property
    def measured(self) -> list[TargetConfig]:
        """The targets that `outcomes` holds, in its order."""
        columns = () if self.outcomes is None else self.outcomes.targets
        return [target for target in self.targets if target.name in columns]


class Check(ABC):
    """Looks at a pool for one kind of fault."""

    @abstractmethod
    def find(self, pool: Evidence) -> Iterator[Finding]:
        """Yield what is found, at most a few lines; what is missing in the evidence is not looked at."""


def some(names: Sequence[str]) -> str:
    """The first names of a list, and how many more there are.

    Example:
        >>> some(["a", "b"]), some(list("abcdefgh"))
        ('a, b', 'a, b, c, d, e, f and 2 more')
    """
    more = len(names) - NAMES_SHOWN
    return listed(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
