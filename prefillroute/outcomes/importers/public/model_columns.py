"""Tables with one row per query and columns for each model: `model|field` (RouterBench) or a struct (SPROUT)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from prefillroute.outcomes.importers.public.gathered import Gathered
from prefillroute.outcomes.importers.public.numbers import measures, scores
from prefillroute.outcomes.importers.public.table_shape import (
    MissingColumnError,
    Said,
    TableShape,
    places,
)
from prefillroute.outcomes.importers.records.chunk import Chunk

MODEL = "{model}"


@dataclass(frozen=True, kw_only=True)
class Shape(TableShape):
    """See ``TableShape`` for the other names; in these, `{model}` stands for a model's name, as in ``measures``.

    Args:
        models: a column that every model has and nothing else, which tells the models' names. The field of a struct is
            `{model}.field`.
        score: the column of a model's score in [0, 1].
    """

    models: str
    score: str

    def columns(self, names: Sequence[str], said: Said) -> Iterable[str]:
        """Score and measures of every model."""
        wanted = []
        models = self._models(names)
        if not models:
            raise MissingColumnError(f"a column {self.models!r} of some model")
        for model in models:
            score = _named(self.score, model)
            if score not in names:
                raise MissingColumnError(f"a column {score!r}")
            # What tells the models is read as well: a chunk has no other way to know them.
            told_by = (self.models, self.score, *self.measures.values())
            wanted += [_named(name, model) for name in told_by]
        return [name for name in wanted if name in names]

    def take(self, file: Path, chunk: Chunk, query: np.ndarray, gathered: Gathered) -> None:
        """Every row is an outcome of every model whose score it has."""
        where = places(file, chunk)
        for model in self._models(chunk.names):
            score = _named(self.score, model)
            values = {"correct": scores(chunk.columns[score], score, where, gathered.collector)}
            for ours, theirs in self.measures.items():
                name = _named(theirs, model)
                if name in chunk.columns:
                    values[ours] = measures(chunk.columns[name], name, where, gathered.collector)
            code = gathered.target(model)
            gathered.take(query, np.full(len(query), code, dtype=np.int64), values, where)

    def _models(self, names: Sequence[str]) -> list[str]:
        """Names of the models, in order of their columns."""
        pattern = re.escape(self.models).replace(re.escape(MODEL), "(.+)")
        return [match[1] for name in names if (match := re.fullmatch(pattern, name))]


def _named(name: str, model: str) -> str:
    return name.replace(MODEL, model)
