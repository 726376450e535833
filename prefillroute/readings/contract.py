"""What signals read of N queries: their columns, and what models say of them.

Training reads caches; routing runs the models.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from prefillroute.layers.source import ActivationSource
from prefillroute.spec import Stored

COLUMNS = ("prompt", "category", "benchmark")
"""The columns of the query table that a signal may read."""
COUNTING = "encoder"
"""The group of models whose tokenizers count a query's tokens to estimate its costs."""

Cell = tuple[int, str]
"""The layer and pooling that identify one vector of a model."""


@dataclass(frozen=True)
class Reading(Stored):
    """One thing that can be read of a query: what a certain model says of it.

    Example:
        >>> str(Reading("embedder", "minilm"))
        'embedder minilm'
    """

    group: str
    """The group of the model: a folder of `conf/` and a module of `readings.readers`."""
    name: str
    """The name of the model: a file in that folder of `conf/`."""

    def __str__(self) -> str:
        """The group and name, for messages."""
        return f"{self.group} {self.name}"


class Readings(Protocol):
    """N queries, as signals see them."""

    def __len__(self) -> int:
        """The number N of queries."""

    def column(self, name: str) -> np.ndarray:
        """The values (N,) object of one of `COLUMNS`.

        Raises:
            UserError: the column is not known of these queries.
        """

    def source(self, reading: Reading) -> ActivationSource:
        """What a model says of the N queries; it is opened or computed on first use.

        Raises:
            UserError: it is not cached, or the model cannot be run.
        """

    def query_tokens(self, reading: Reading) -> np.ndarray:
        """The number (N,) int64 of tokens of each bare query, by a model's tokenizer."""

    def select(self, rows: np.ndarray) -> Self:
        """The readings of the rows that an index array or mask picks."""


def token_counter(readings: Sequence[Reading]) -> Reading | None:
    """The reading whose tokenizer counts a query's tokens for its costs: the first encoder, or None.

    Readings come in the order in which a predictor reads them, which is that of its mode.

    Example:
        >>> token_counter([Reading("embedder", "minilm"), Reading("encoder", "smollm2_135m")]).name
        'smollm2_135m'
    """
    return next((reading for reading in readings if reading.group == COUNTING), None)
