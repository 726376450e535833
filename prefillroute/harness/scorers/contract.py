"""What a scorer promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prefillroute.harness.questions import Question


@dataclass(frozen=True)
class Verdict:
    """A response, scored."""

    correct: float | None
    """In [0, 1]; None: it could not be judged (the judge failed, not the target), and the outcome is missing."""
    answer: str
    """What was read out of the response; empty where nothing was found."""
    explanation: str = ""
    cost_usd: float = 0.0
    """What the scoring itself cost: a judge's tokens."""


class Scorer(ABC):
    """Turns one response into a verdict. A response that cannot be read is wrong, not missing."""

    @property
    def identity(self) -> str:
        """What a verdict depends on beside the response: another identity means judging anew."""
        return type(self).__name__

    @property
    def costs_known(self) -> bool:
        """Whether `cost_usd` of a verdict is what it cost; a spend limit asks for that."""
        return True

    def most_usd(self, question: Question, response: str) -> float:
        """The most that ``score`` can cost; 0 for a scorer that asks nobody."""
        return 0.0

    def check(self) -> None:  # noqa: B027 - most scorers need nothing
        """Say before the first call what is missing for scoring.

        Raises:
            UserError: no key for the judge, no sandbox on this machine, ...
        """

    @abstractmethod
    async def score(self, question: Question, response: str) -> Verdict:
        """Score a target's final answer (its reasoning trace already taken off).

        Raises:
            Exception: whatever the judge or the sandbox raises; the caller records the outcome as missing.
        """
