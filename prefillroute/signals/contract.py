"""What every signal is given, and what every signal must do.

G = groups, N = queries, M = targets, D = features. Group 0 is the final fit on all training
rows, and the other groups are the folds.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from prefillroute.heads.layout import Layout
from prefillroute.layers.choice import LayerChoice
from prefillroute.layers.contract import LayerChooser, ProbeTask
from prefillroute.layers.table import ProbeTable
from prefillroute.readings.contract import Reading, Readings
from prefillroute.spec import Stored

Score = Callable[[LayerChooser, Reading, "Probe"], ProbeTable]
"""Scores an encoder's layers on a probe's rows, or finds the scores of an earlier run."""


@dataclass(frozen=True)
class Probe:
    """One layer choice to be made: for all groups, or for one of them."""

    rows: np.ndarray
    """(n,) numbers of those of the N rows that the choice may see."""
    task: ProbeTask
    """The labels and folds of these rows."""


@dataclass(frozen=True)
class Fitting:
    """What fitting may know about the N queries besides their readings."""

    masks: np.ndarray
    """(G, N) bool: the rows that a group may learn from. It must not look at the outcomes of other rows."""
    correct: np.ndarray
    """(N, M) float in [0, 1]: the outcomes; NaN where an outcome is missing."""
    duplicates: np.ndarray
    """(N,) int: queries with the same number are duplicates (see `outcomes.duplicates`). The features of a query must
    not use the outcomes of its duplicates."""
    threshold: float = 0.5
    """The least outcome that counts as correct."""
    probes: tuple[Probe, ...] = ()
    """The layer choices to be made: one for all groups, or one for each."""
    score: Score | None = None
    """Scores the layers for these choices."""


class Signal(Stored, ABC):
    """Turns queries into features.

    After `fit_transform`, `layout_` says what their columns are.
    """

    layout_: Layout
    layer_choice: LayerChoice | None = None
    """The layers that group 0 reads, for the report; None for a signal without layers, and in a loaded bundle."""

    def columns(self) -> tuple[str, ...]:
        """The columns of the query table that it reads, of `prompt`, `category` and `benchmark`."""
        return ()

    def reads(self) -> tuple[Reading, ...]:
        """The readings of models that `fit_transform` needs, each listed once."""
        return ()

    @abstractmethod
    def fit_transform(self, readings: Readings, fitting: Fitting) -> np.ndarray:
        """Fit every group on its rows.

        Args:
            readings: readings of N queries.
            fitting: masks and outcomes of these queries.

        Returns:
            Features (G, N, D) float32 of all N rows under each group's fit.

        Raises:
            UserError: an option does not suit the data.
        """

    @abstractmethod
    def transform(self, readings: Readings) -> np.ndarray:
        """Features (N, D) float32 of new queries under group 0."""

    def extras(self, readings: Readings) -> Mapping[str, np.ndarray]:
        """What training may know about its N queries besides their features: (N,) float32 each, named in `layout_`."""
        return {}
