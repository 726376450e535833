"""Readings that are kept: the inputs of a few queries, exactly as a predictor asked for them."""

from dataclasses import dataclass, field

import numpy as np

from prefillroute.layers.source import ActivationSource, ArraySource
from prefillroute.readings.contract import Cell, Reading, Readings


@dataclass
class RecordedReadings:
    """Readings of K queries, of which only what is kept here can be read.

    Example:
        >>> encoder = Reading("encoder", "toy")
        >>> kept = RecordedReadings(2, {}, {encoder: {(3, "last"): np.ones((2, 4), dtype=np.float32)}}, {encoder: 5})
        >>> kept.source(encoder).read(3, "last").shape
        (2, 4)
    """

    num_queries: int
    """The number K of queries."""
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    """The values (K,) object of each column."""
    cells: dict[Reading, dict[Cell, np.ndarray]] = field(default_factory=dict)
    """What each model said: (K, H) float32 by layer and pooling."""
    num_layers: dict[Reading, int] = field(default_factory=dict)
    """The number of layers of each model."""
    tokens: dict[Reading, np.ndarray] = field(default_factory=dict)
    """The number (K,) of tokens of each bare query, by a model's tokenizer."""

    def __len__(self) -> int:
        """The number K of queries."""
        return self.num_queries

    def column(self, name: str) -> np.ndarray:
        """The values (K,) object of a column; see `Readings.column`."""
        return self.columns[name]

    def source(self, reading: Reading) -> ActivationSource:
        """See `Readings.source`."""
        return ArraySource(reading.name, self.num_layers[reading], self.cells[reading])

    def query_tokens(self, reading: Reading) -> np.ndarray:
        """See `Readings.query_tokens`."""
        return self.tokens[reading]

    def select(self, rows: np.ndarray) -> "RecordedReadings":
        """See `Readings.select`."""
        return RecordedReadings(
            len(np.arange(self.num_queries)[rows]),
            {name: column[rows] for name, column in self.columns.items()},
            {
                reading: {cell: array[rows] for cell, array in cells.items()}
                for reading, cells in self.cells.items()
            },
            dict(self.num_layers),
            {reading: tokens[rows] for reading, tokens in self.tokens.items()},
        )


class Recorder:
    """Passes readings on and keeps a copy of all that was asked for in `kept`.

    What a predictor reads is found out by letting it read, so nobody has to keep a list of it.

    Args:
        readings: the K queries.
    """

    def __init__(self, readings: Readings) -> None:
        self._readings = readings
        self.kept = RecordedReadings(len(readings))

    def __len__(self) -> int:
        """The number K of queries."""
        return len(self._readings)

    def column(self, name: str) -> np.ndarray:
        """See `Readings.column`."""
        self.kept.columns[name] = self._readings.column(name)
        return self.kept.columns[name]

    def source(self, reading: Reading) -> ActivationSource:
        """See `Readings.source`."""
        source = self._readings.source(reading)
        self.kept.num_layers[reading] = source.num_layers
        return _RecordingSource(source, self.kept.cells.setdefault(reading, {}))

    def query_tokens(self, reading: Reading) -> np.ndarray:
        """See `Readings.query_tokens`."""
        self.kept.tokens[reading] = self._readings.query_tokens(reading)
        return self.kept.tokens[reading]

    def select(self, rows: np.ndarray) -> "Recorder":
        """A separate recorder for some of the rows."""
        return Recorder(self._readings.select(rows))


class _RecordingSource:
    """A source that keeps a copy of what is read from it."""

    def __init__(self, source: ActivationSource, kept: dict[Cell, np.ndarray]) -> None:
        self._source, self._kept = source, kept
        self.encoder, self.num_layers = source.encoder, source.num_layers
        self.hidden_size = source.hidden_size
        self.layer_ids, self.poolings = source.layer_ids, source.poolings

    def read(self, layer: int, pooling: str) -> np.ndarray:
        """Return vectors (K, H) float32, and keep a copy."""
        self._kept[layer, pooling] = self._source.read(layer, pooling)
        return self._kept[layer, pooling]
