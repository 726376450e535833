"""What a layer choice is given, and what every strategy of the group `layers` does."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from prefillroute.layers.choice import LayerChoice
from prefillroute.layers.source import ActivationSource
from prefillroute.layers.table import ProbeTable, Progress
from prefillroute.spec import Stored

# N = rows that the choice may see, T = targets


@dataclass(frozen=True)
class ProbeTask:
    """The rows and labels that a layer choice may see."""

    labels: np.ndarray
    """(N, T) of 0, 1 or NaN (missing)."""
    folds: np.ndarray
    """(N,) fold of each row, for cross-validation."""
    targets: tuple[str, ...]
    """T names."""
    seed: int = 0
    """Seed of everything random in the probes."""

    def only(self, targets: Sequence[str]) -> "ProbeTask":
        """The same task for some of the targets, in their order here."""
        kept = [number for number, name in enumerate(self.targets) if name in set(targets)]
        return replace(
            self, labels=self.labels[:, kept], targets=tuple(self.targets[number] for number in kept)
        )


class LayerChooser(Stored, ABC):
    """Scores the layers of one encoder, then selects blocks from the scores of one encoder or of several."""

    @abstractmethod
    def score(
        self, source: ActivationSource, task: ProbeTask, progress: Progress | None = None
    ) -> ProbeTable:
        """Measure the blocks that this strategy considers.

        Args:
            source: activations of the task's N rows.
            task: labels, folds and targets.
            progress: receives the progress made.

        Raises:
            UserError: the source lacks layers or poolings that are asked for, or nothing in it varies.
        """

    @abstractmethod
    def select(self, table: ProbeTable) -> LayerChoice:
        """Select blocks from the scores of all encoders.

        Raises:
            UserError: no block can be selected, for instance because no target could be scored.
        """

    def choose(
        self, source: ActivationSource, task: ProbeTask, progress: Progress | None = None
    ) -> LayerChoice:
        """Score the layers of one encoder and select from them."""
        return self.select(self.score(source, task, progress))
