"""Tables with one row per query and target: EmbedLLM, R2-Bench, RouterArena, the raw table of RouterBench."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np

from prefillroute.outcomes.importers.codes import Codes
from prefillroute.outcomes.importers.public.gathered import NO_TARGET, Gathered
from prefillroute.outcomes.importers.public.numbers import measures, scores
from prefillroute.outcomes.importers.public.table_shape import Said, TableShape, first_of, hashable, places
from prefillroute.outcomes.importers.records.chunk import Chunk
from prefillroute.outcomes.importers.records.values import BadCellError, checked_text, name_of


@dataclass(frozen=True, kw_only=True)
class Shape(TableShape):
    """See ``TableShape`` for the other names.

    Args:
        target: columns, or groups of ``files``, that name the model.
        score: columns of its score in [0, 1].
        budget: columns or groups that name a budget of tokens; each budget of a model is a target, `model@budget`.
        slash: what stands for the slash in a model's name, where a folder is named after it.
    """

    target: Sequence[str]
    score: Sequence[str]
    budget: Sequence[str] = ()
    slash: str = "/"

    def columns(self, names: Sequence[str], said: Said) -> Iterable[str]:
        """Target, score, budget, and those measures that the table has."""
        wanted = [first_of(self.target, names, said), first_of(self.score, names)]
        if self.budget:
            wanted.append(first_of(self.budget, names, said))
        wanted += self.measures.values()
        return [name for name in wanted if name.partition(".")[0] in names or name in names]

    def take(self, file: Path, chunk: Chunk, query: np.ndarray, gathered: Gathered) -> None:
        """Every row is an outcome."""
        said = self.said(file) or {}
        where = places(file, chunk)

        def target_code(cells: tuple[Any, Any]) -> int:
            try:
                names = [name_of(cell) for cell in cells]
                name, budget = (None if name is None else checked_text(name) for name in names)
            except BadCellError:
                return NO_TARGET
            if name is None or (self.budget and budget is None):
                return NO_TARGET
            name = name.replace(self.slash, "/", 1)
            return gathered.target(f"{name}@{budget}" if self.budget else name)

        cells = (self._cells(self.target, chunk, said), self._cells(self.budget, chunk, said))
        names = zip(*cells, repeat(None, len(chunk.rows)), strict=False)
        target = Codes(target_code).of(hashable(key[:2] for key in names), len(chunk.rows))
        score = first_of(self.score, chunk.names)
        values = {"correct": scores(chunk.columns[score], score, where, gathered.collector)}
        for ours, theirs in self.measures.items():
            if theirs in chunk.columns:
                values[ours] = measures(chunk.columns[theirs], theirs, where, gathered.collector)
        gathered.take(query, target, values, where)
