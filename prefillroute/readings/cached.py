"""Readings for training, from the caches that `extract`, `embed` and `perplexity` fill."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prefillroute.caches.identity import CacheIdentity
from prefillroute.caches.reader import ActivationCache, CacheView
from prefillroute.errors import UserError
from prefillroute.layers.source import ActivationSource, ArraySource, RowSubset
from prefillroute.readings.contract import Reading
from prefillroute.readings.reader import reader_of

Facts = Callable[[str, str], Any]
"""A function from the group and name of a model to its facts."""


@dataclass(frozen=True)
class Opened:
    """A model's cache, opened for all queries of a table."""

    facts: Any
    identity: CacheIdentity
    view: CacheView
    source: ActivationSource


class CacheLibrary:
    """The caches of the queries of one table, each opened on first use.

    Args:
        caches: folder of all caches.
        queries: the query table, with `query_id` and `prompt`.
        facts: a function that finds the facts of a model.
        pool: name of the table's pool, for the command that a message names.
    """

    def __init__(self, caches: Path, queries: pd.DataFrame, facts: Facts, pool: str) -> None:
        self._caches, self.queries, self._facts, self._pool = caches, queries, facts, pool
        self._opened: dict[Reading, Opened] = {}

    def open(self, reading: Reading) -> Opened:
        """The cache of a reading.

        Raises:
            UserError: there is no cache, or it lacks queries (the message names the command to run first), or it was
                made with other facts (the message names both values).
        """
        if reading not in self._opened:
            self._opened[reading] = self._open(reading)
        return self._opened[reading]

    def path(self, reading: Reading) -> Path:
        """The index file of a reading's cache, whether or not it exists."""
        return reader_of(reading.group).cache(self._caches, self.facts(reading))

    def facts(self, reading: Reading) -> Any:
        """The facts of a reading's model."""
        return self._facts(reading.group, reading.name)

    def _open(self, reading: Reading) -> Opened:
        reader, facts = reader_of(reading.group), self.facts(reading)
        path = reader.cache(self._caches, facts)
        try:
            cache = ActivationCache(path)
            reader.check(cache.identity, path, facts)
            view = cache.select(self.queries["query_id"].tolist(), self.queries["prompt"].tolist())
        except UserError as error:
            # The cache knows its model, but only the run knows the pool.
            raise UserError(str(error).replace("pool=<pool>", f"pool={self._pool}")) from error
        return Opened(reader.settled(facts, cache.identity), cache.identity, view, _kept(view))


class CachedReadings:
    """Readings of some rows of a query table.

    Args:
        library: the caches of all rows.
        rows: (N,) row numbers; None takes all.
    """

    def __init__(self, library: CacheLibrary, rows: np.ndarray | None = None) -> None:
        self.library = library
        self.rows = np.arange(len(library.queries)) if rows is None else rows

    def __len__(self) -> int:
        """The number N of queries."""
        return len(self.rows)

    def column(self, name: str) -> np.ndarray:
        """The values (N,) object of a column; see `Readings.column`."""
        return self.library.queries[name].to_numpy(dtype=object)[self.rows]

    def source(self, reading: Reading) -> ActivationSource:
        """What the cache holds for these rows; see `Readings.source`."""
        return RowSubset(self.library.open(reading).source, self.rows)

    def select(self, rows: np.ndarray) -> "CachedReadings":
        """See `Readings.select`."""
        return CachedReadings(self.library, self.rows[rows])

    def query_tokens(self, reading: Reading) -> np.ndarray:
        """The number (N,) of tokens of each bare query, by the model's tokenizer."""
        return np.asarray(self.library.open(reading).view.query_tokens)[self.rows]

    @property
    def query_ids(self) -> list[str]:
        """The ids of the N queries."""
        ids: list[str] = self.library.queries["query_id"].to_numpy(dtype=object)[self.rows].tolist()
        return ids


def _kept(view: CacheView) -> ActivationSource:
    """The view, copied into memory if it is one small matrix, because several signals read it again and again."""
    if len(view.layer_ids) != 1 or len(view.poolings) != 1:
        return view
    (layer,), (pooling,) = view.layer_ids, view.poolings
    return ArraySource(view.encoder, view.num_layers, {(layer, pooling): view.read(layer, pooling)})
