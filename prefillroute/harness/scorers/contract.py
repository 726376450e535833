"""The contract of a scorer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prefillroute.harness.questions import Question


@dataclass(frozen=True)
class Verdict:
    """The score of a response."""

    correct: float | None
    """In [0, 1]; None if it could not be judged (the judge failed, not the target), so that the outcome is missing."""
    answer: str
    """The answer found in the response; empty if none was found."""
    explanation: str = ""
    cost_usd: float = 0.0
    """Cost of the scoring itself, that is, of a judge's tokens."""


class Scorer(ABC):
    """Turns one response into a verdict. A response that cannot be read is wrong, not missing."""

    @property
    def identity(self) -> str:
        """What a verdict depends on besides the response; if it changes, responses are judged again."""
        return type(self).__name__

    @property
    def costs_known(self) -> bool:
        """Whether a verdict's `cost_usd` is its real cost, which a spend limit needs."""
        return True

    def most_usd(self, question: Question, response: str) -> float:
        """The most that ``score`` can cost in USD; 0 for a scorer that calls no model."""
        return 0.0

    def check(self) -> None:  # noqa: B027 - most scorers need nothing
        """Check before the first call that scoring will work.

        Raises:
            UserError: there is no key for the judge, no sandbox on this machine, ...
        """

    @abstractmethod
    async def score(self, question: Question, response: str) -> Verdict:
        """Score a target's final answer, without its reasoning trace.

        Raises:
            Exception: whatever the judge or the sandbox raises; the caller records the outcome as missing.
        """
