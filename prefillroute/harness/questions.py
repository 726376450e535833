"""The contract of a benchmark, and the questions that it holds."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from prefillroute.harness.scorers.contract import Scorer


@dataclass(frozen=True)
class Question:
    """A question that every target of a pool is asked."""

    query_id: str
    category: str
    prompt: str
    """The text that is sent to the targets and read by the encoder."""
    answer: str
    """The reference answer in the form that the scorer expects: a letter, a short text, test cases as JSON, ..."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the scorer needs besides the answer, for instance the number of options."""


class Benchmark(ABC):
    """Questions together with their scorer; an option of the config group `benchmark`."""

    name: str
    """Value of the `benchmark` column in the outcome folder."""
    instruction: str | None = None
    """How to answer: the system message of every target that does not have its own. It is kept apart from the prompt,
    which the encoder reads and by which imported outcomes are joined."""

    @abstractmethod
    def questions(self) -> list[Question]:
        """Return all questions, in a fixed order.

        Raises:
            UserError: they cannot be read; names the file or data set and a way out.
        """

    @abstractmethod
    def scorer(self) -> Scorer:
        """Return what scores the answers."""
