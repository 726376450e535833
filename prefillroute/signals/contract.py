"""What every signal is given, and what every signal promises.

G = groups, N = queries, M = targets, D = features. Group 0 is the final fit on all training rows, the others are the
folds.
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
    """(n,) numbers of the rows, of the N, that the choice may see."""
    task: ProbeTask
    """Labels and folds of these rows."""


@dataclass(frozen=True)
class Fitting:
    """What fitting may know of the N queries beside what is read of them."""

    masks: np.ndarray
    """(G, N) bool: the rows that a group may learn from. It may look at the outcomes of no others."""
    correct: np.ndarray
    """(N, M) float in [0, 1], NaN = missing."""
    duplicates: np.ndarray
    """(N,) int: queries of one number are duplicates (see `outcomes.duplicates`), and none may be told another's
    outcomes."""
    threshold: float = 0.5
    """Least outcome that counts as right."""
    probes: tuple[Probe, ...] = ()
    """The layer choices to be made: one for all groups, or one for each."""
    score: Score | None = None
    """Scores layers for them."""


class Signal(Stored, ABC):
    """Turns queries into features.

    After `fit_transform`, `layout_` says what their columns are.
    """

    layout_: Layout
    layer_choice: LayerChoice | None = None
    """The layers that group 0 reads, for the report; None for a signal without layers, and in a loaded bundle."""

    def columns(self) -> tuple[str, ...]:
        """The columns of the query table that it reads, `prompt`, `category`, `benchmark`."""
        return ()

    def reads(self) -> tuple[Reading, ...]:
        """What models must have said of a query for `fit_transform`, each once."""
        return ()

    @abstractmethod
    def fit_transform(self, readings: Readings, fitting: Fitting) -> np.ndarray:
        """Fit every group on its rows.

        Args:
            readings: of N queries.
            fitting: masks and outcomes of these.

        Returns:
            Features (G, N, D) float32 of all N rows under each group's fit.

        Raises:
            UserError: an option does not suit the data.
        """

    @abstractmethod
    def transform(self, readings: Readings) -> np.ndarray:
        """Features (N, D) float32 of new queries under group 0."""

    def extras(self, readings: Readings) -> Mapping[str, np.ndarray]:
        """What training may know of its N queries beside their features: (N,) float32 each, named in `layout_`."""
        return {}
