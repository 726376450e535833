"""What a layer choice is given, and what every strategy of the group `layers` does."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from prefillroute.layers.choice import Block, LayerChoice
from prefillroute.layers.selection import best_of, one_for_all
from prefillroute.layers.source import ActivationSource
from prefillroute.layers.table import ProbeTable, Progress
from prefillroute.probes.layer_probe import LayerProbe, probe_layer
from prefillroute.spec import Stored

# N = rows that the choice may see, T = targets

Remember = Callable[[str, Callable[[], LayerProbe]], LayerProbe]
"""Gives the probe of a name: one that was made before, or else the one that the function makes."""


def make_anew(name: str, make: Callable[[], LayerProbe]) -> LayerProbe:
    """A `Remember` that remembers nothing."""
    return make()


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
    remember: Remember = field(default=make_anew, compare=False)
    """Keeps finished probes, so that a stopped job does not make them again."""

    def probe(
        self, name: str, read: Callable[[], np.ndarray], folds: np.ndarray | None, **settings: Any
    ) -> LayerProbe:
        """Probe activations of the task's rows, or take the probe of this name that was made before.

        Args:
            name: tells the probe from the others of the same table.
            read: gives the activations (N, H); not called for a probe that is there.
            folds: the task's, or None for scores without cross-validation.
            settings: those of `probe_layer`.
        """

        def make() -> LayerProbe:
            return probe_layer(read(), self.labels, folds, seed=self.seed, **settings)

        return self.remember(name, make)

    def only(self, targets: Sequence[str]) -> "ProbeTask":
        """The same task for some of the targets, in their order here."""
        kept = [number for number, name in enumerate(self.targets) if name in set(targets)]
        return replace(
            self,
            labels=self.labels[:, kept],
            targets=tuple(self.targets[number] for number in kept),
            remember=make_anew,
        )


class LayerChooser(Stored, ABC):
    """Scores the layers of one encoder, then selects blocks from the scores of one encoder or of several.

    Constructors take plain values and keep each argument under its own name, so that `spec.store` can describe them.
    """

    rated_by: ClassVar[str | None]
    """The score by which blocks are compared for each target, a column of the table: `auc` or `fisher_j`. None if the
    strategy does not rate blocks target by target."""

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

        Args:
            table: what `score` of this strategy measured, or several of its tables joined.

        Returns:
            The blocks, in the order of the table.

        Raises:
            UserError: no block can be selected, for instance because no target could be scored.
        """

    def serve(self, table: ProbeTable, blocks: Sequence[Block]) -> LayerChoice:
        """Keep the given blocks of a table and say which of them serves each target best.

        A strategy that does not rate blocks target by target names the first one for all.
        """
        if self.rated_by is None:
            return one_for_all(table, blocks)
        return best_of(table, table.scores(self.rated_by), [table.blocks.index(block) for block in blocks])

    def choose(
        self, source: ActivationSource, task: ProbeTask, progress: Progress | None = None
    ) -> LayerChoice:
        """Score the layers of one encoder and select from them."""
        return self.select(self.score(source, task, progress))
