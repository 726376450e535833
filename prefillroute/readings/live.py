"""Readings of new queries, which routing makes by running the models on the same code path as extraction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from prefillroute.caches.identity import CacheIdentity
from prefillroute.errors import UserError
from prefillroute.extraction.backends.contract import Backend
from prefillroute.extraction.live import read_texts
from prefillroute.layers.source import ActivationSource, ArraySource, RowSubset
from prefillroute.readings.contract import Cell, Reading
from prefillroute.readings.reader import reader_of
from prefillroute.readings.recorded import RecordedReadings

STORED_ONLY = ("storage_dtype", "backend")
"""The parts of a cache's identity that say how its numbers were stored or computed, not what they are."""
TOLERANCE = {"float32": 1e-3, "bfloat16": 5e-2}
"""Greatest allowed relative difference (Euclidean norm) of a vector between machines or backends, by compute dtype."""
NUM_GOLDEN = 3
"""Number of golden queries on which a model is checked when it is loaded."""


@dataclass(frozen=True)
class ModelEntry:
    """A model in the form in which the run used it."""

    reading: Reading
    facts: Any
    identity: CacheIdentity
    """The identity of the cache that was read."""
    cells: tuple[Cell, ...]
    """The layers and poolings that were read, in ascending order."""


@dataclass(frozen=True)
class Read:
    """What one model says of N queries."""

    source: ActivationSource
    query_tokens: np.ndarray
    """(N,) number of tokens of the bare query, by the model's tokenizer."""
    fed_tokens: np.ndarray
    """(N,) number of tokens that the model was given, with the template."""
    truncated: np.ndarray
    """(N,) bool: whether the middle of the query was cut out, because the model's context was too short."""


class LiveModels:
    """The models of a bundle. Each is loaded on first use and must be the one that the bundle was trained with.

    Args:
        entries: the models.
        bundle: folder of the bundle, for messages.
        device: where they run: `auto`, `cpu`, `cuda`, ...
        golden: what the models said of a few queries of the run, with their texts; each model is checked on the
            shortest of these when it is loaded.
    """

    def __init__(
        self,
        entries: Sequence[ModelEntry],
        bundle: Path,
        device: str = "auto",
        golden: RecordedReadings | None = None,
    ) -> None:
        self._entries = {entry.reading: entry for entry in entries}
        self._bundle, self._device, self._golden = bundle, device, golden
        self._loaded: dict[Reading, Backend] = {}

    def read(self, reading: Reading, prompts: Sequence[str]) -> Read:
        """Run a model on N queries.

        Raises:
            UserError: the model cannot be loaded, or is not the one of the training run.
        """
        entry = self._entries[reading]
        return self._read(entry, self._model(entry), prompts)

    def _read(self, entry: ModelEntry, model: Backend, prompts: Sequence[str]) -> Read:
        found = read_texts(model, prompts)
        self._check_finite(entry.reading, found.vectors)
        source = ArraySource(entry.identity.encoder, entry.identity.num_layers, found.vectors)
        return Read(source, found.query_tokens, found.fed_tokens, found.truncated)

    def _model(self, entry: ModelEntry) -> Backend:
        if entry.reading not in self._loaded:
            reader = reader_of(entry.reading.group)
            model = reader.load(entry.facts, entry.identity, entry.cells, self._device)
            self._check_identity(entry.reading, model.identity, entry.identity)
            self._check_numbers(entry, model)
            self._loaded[entry.reading] = model
        return self._loaded[entry.reading]

    def _check_numbers(self, entry: ModelEntry, model: Backend) -> None:
        """Refuse a model that now says something else of the golden queries than it said in the run."""
        if self._golden is None or "prompt" not in self._golden.columns:
            return  # a bundle of format 1 has no golden queries
        shortest = np.argsort([len(text) for text in self._golden.column("prompt")], kind="stable")
        few = self._golden.select(shortest[:NUM_GOLDEN])
        found = self._read(entry, model, few.column("prompt").tolist()).source
        tolerance = TOLERANCE[entry.identity.compute_dtype]
        for layer, pooling in entry.cells:
            wanted = few.source(entry.reading).read(layer, pooling)
            off = np.linalg.norm(found.read(layer, pooling) - wanted, axis=1) / np.linalg.norm(wanted, axis=1)
            if not off.max() <= tolerance:
                raise UserError(
                    f"{self._bundle}: {entry.reading}: golden prompts: expected vectors within {tolerance:g} of those "
                    f"of the training run (relative), found {off.max():.2g} at layer {layer}, {pooling}; use the "
                    "library versions and the backend of the run, or train on a cache made with these"
                )

    def _check_finite(self, reading: Reading, read: Mapping[Cell, np.ndarray]) -> None:
        for (layer, pooling), vectors in read.items():
            finite = np.isfinite(vectors).all(axis=1)
            if not finite.all():
                raise UserError(
                    f"{self._bundle}: {reading}: query {int(finite.argmin())}, layer {layer}, {pooling}: expected "
                    "finite numbers, found NaN or infinity"
                )

    def _check_identity(self, reading: Reading, found: CacheIdentity, wanted: CacheIdentity) -> None:
        """Refuse a model whose numbers would differ from those of the training run."""
        found = replace(found, **{key: getattr(wanted, key) for key in STORED_ONLY})
        for field in fields(found):
            here, there = getattr(found, field.name), getattr(wanted, field.name)
            if here != there:
                raise UserError(
                    f"{self._bundle}: {reading}: expected {field.name}={there} as in training, found "
                    f"{field.name}={here}; use the same files of the model"
                )


class LiveReadings:
    """Readings of N new queries.

    Args:
        models: the models that read them.
        columns: (N,) values of each column, by name; the text is the column `prompt`.
    """

    def __init__(self, models: LiveModels, columns: Mapping[str, Sequence[str]]) -> None:
        self._models = models
        self._columns = {name: np.asarray(values, dtype=object) for name, values in columns.items()}
        self.read: dict[Reading, Read] = {}
        """What has been read so far."""

    def __len__(self) -> int:
        """The number N of queries."""
        return len(self._columns["prompt"])

    def column(self, name: str) -> np.ndarray:
        """The values (N,) object of a column; see `Readings.column`."""
        return self._columns[name]

    def source(self, reading: Reading) -> ActivationSource:
        """What the model says of the queries; see `Readings.source`."""
        return self._of(reading).source

    def query_tokens(self, reading: Reading) -> np.ndarray:
        """The number (N,) of tokens of each bare query, by the model's tokenizer."""
        return self._of(reading).query_tokens

    def select(self, rows: np.ndarray) -> "LiveReadings":
        """See `Readings.select`; nothing that has been read is read again."""
        chosen = LiveReadings(
            self._models, {name: column[rows].tolist() for name, column in self._columns.items()}
        )
        chosen.read = {
            reading: Read(
                RowSubset(read.source, rows),
                read.query_tokens[rows],
                read.fed_tokens[rows],
                read.truncated[rows],
            )
            for reading, read in self.read.items()
        }
        return chosen

    def _of(self, reading: Reading) -> Read:
        if reading not in self.read:
            self.read[reading] = self._models.read(reading, self.column("prompt").tolist())
        return self.read[reading]
