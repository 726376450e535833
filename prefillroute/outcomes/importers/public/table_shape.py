"""What tables of public outcomes have in common: their files, their queries, and the way through them."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np

from prefillroute.errors import UserError
from prefillroute.outcomes.importers.codes import Codes
from prefillroute.outcomes.importers.collector import Collector
from prefillroute.outcomes.importers.contract import Advance, Given
from prefillroute.outcomes.importers.public.columns import read_columns
from prefillroute.outcomes.importers.public.gathered import Gathered, Where
from prefillroute.outcomes.importers.public.queries import PublicQueries
from prefillroute.outcomes.importers.records.chunk import Chunk
from prefillroute.outcomes.validation import PARTS

Said = Mapping[str, str]
"""What a file's path says: the named groups of the pattern of files."""


@dataclass(frozen=True, kw_only=True)
class TableShape(ABC):
    """A reader of tables; the names are those of the owners' columns, of which the first that a table has is taken.

    Args:
        name: of the data set, and the benchmark of queries that name none.
        files: regular expression for the end of a file's path. Its groups may be named, and such a name stands for a
            column: `split`, `model` or any other.
        prompt: columns of the query's text.
        query_id: columns of the query's id; without one the id is a hash of the text.
        before_id: a group of ``files`` that comes before the id, where the ids of several files meet.
        benchmark: columns or groups.
        category: columns; without one the benchmark.
        duplicates: columns whose value groups queries that must stay in one part.
        parts: the owners' name of a part (group `split` of ``files``) -> train, calibration or test.
        measures: `prompt_tokens`, `completion_tokens`, `cost_usd` and others -> the owners' name.
        prompt_is_list: whether a prompt is the text of a Python list of turns.
        benchmark_pattern: its first group, found in the id, is the benchmark of a query that names none.
        runs: whether each file is a run of its own: a damaged one is left out, and the others are taken.
        evaluation_only: whether nothing may ever be trained on the rows.
    """

    name: str
    files: str
    prompt: Sequence[str]
    query_id: Sequence[str] = ()
    before_id: str | None = None
    benchmark: Sequence[str] = ()
    category: Sequence[str] = ()
    duplicates: Sequence[str] = ()
    parts: Mapping[str, str] = field(default_factory=dict)
    measures: Mapping[str, str] = field(default_factory=dict)
    prompt_is_list: bool = False
    benchmark_pattern: str | None = None
    runs: bool = False
    evaluation_only: bool = False

    def __post_init__(self) -> None:
        assert set(self.parts.values()) <= set(PARTS), self.parts

    def find(self, path: Path) -> list[Path]:
        """The file, or those below a folder whose paths end as ``files`` says.

        Raises:
            UserError: when there is none.
        """
        if path.is_file():
            return [path]
        found = sorted(file for file in path.rglob("*") if self.said(file) is not None and file.is_file())
        if not found:
            raise UserError(f"{path}: expected files of {self.name} ({self.files}) below it, found none")
        return found

    def said(self, file: Path) -> Said | None:
        """What the path says; None if it does not end as ``files`` says."""
        match = re.search(f"(?:^|/)(?:{self.files})$", file.as_posix())
        if match is None:
            return None
        return {name: value for name, value in match.groupdict().items() if value is not None}

    def read(self, given: Given, collector: Collector, advance: Advance, trust_pickle: bool = False) -> None:
        """Take the outcomes of all files; see `contract.Importer.read`.

        Args:
            given: what is read.
            collector: where outcomes go.
            advance: told of the progress.
            trust_pickle: whether a pickle may be read, by an unpickler that admits pandas tables only.

        Raises:
            UserError: for a damaged file, unless it is one of several runs, or a missing column.
        """
        queries = PublicQueries(self.name, self.benchmark_pattern, self.prompt_is_list)
        gathered = Gathered(queries, collector, self.measures)
        codes = Codes(queries.add)
        files = self.chosen(given.files, collector)
        for number, file in enumerate(files):
            try:
                for chunk in read_columns(file, self._choose(file), advance, trust_pickle):
                    self.take(file, chunk, self._queries(file, chunk, codes), gathered)
            except UserError as error:
                is_last_hope = number == len(files) - 1 and len(gathered) == 0
                if not self.runs or is_last_hope:
                    raise
                collector.skip(
                    "file that could not be read to its end (what came before is taken)", str(error)
                )
        gathered.hand_over(self.evaluation_only)

    def chosen(self, files: Sequence[Path], collector: Collector) -> Sequence[Path]:
        """The files that are to be read, of those that were found."""
        return files

    @abstractmethod
    def columns(self, names: Sequence[str], said: Said) -> Iterable[str]:
        """The columns of outcomes that are wanted.

        Args:
            names: of the table's columns.
            said: what the file's path says.

        Raises:
            MissingColumnError: with what was expected.
        """

    @abstractmethod
    def take(self, file: Path, chunk: Chunk, query: np.ndarray, gathered: Gathered) -> None:
        """Hand a chunk's outcomes to ``gathered``.

        Args:
            file: the chunk is of.
            chunk: of N rows, with the chosen columns.
            query: (N,) int64 codes of the queries.
            gathered: takes them.
        """

    def prompt_columns(self, names: Sequence[str]) -> Sequence[str]:
        """The columns that a row's text is made of.

        Raises:
            MissingColumnError: there is none.
        """
        return [first_of(self.prompt, names)]

    def prompts(self, chunk: Chunk) -> Sequence[Any]:
        """The text of each row of a chunk."""
        return chunk.columns[self.prompt_columns(chunk.names)[0]]

    def _choose(self, file: Path) -> Callable[[Sequence[str]], list[str]]:
        said = self.said(file) or {}

        def choose(names: Sequence[str]) -> list[str]:
            try:
                wanted = [*self.prompt_columns(names), *self.columns(names, said)]
            except MissingColumnError as error:
                shown = ", ".join(names)
                raise UserError(f"{file}: expected {error}, found the columns {shown:.300}") from error
            for others in (self.query_id, self.benchmark, self.category, self.duplicates):
                wanted += [name for name in others if name in names][:1]
            return list(dict.fromkeys(wanted))

        return choose

    def _queries(self, file: Path, chunk: Chunk, codes: Codes) -> np.ndarray:
        said = self.said(file) or {}
        part = self.parts.get(said.get("split", ""))
        cells = [
            repeat(said.get(self.before_id or "")),
            self._cells(self.query_id, chunk, said),
            self.prompts(chunk),
            self._cells(self.benchmark, chunk, said),
            self._cells(self.category, chunk, said),
            repeat(part),
            self._cells(self.duplicates, chunk, said),
        ]
        return codes.of(hashable(zip(*cells, strict=False)), len(chunk.rows))

    def _cells(self, names: Sequence[str], chunk: Chunk, said: Said) -> Iterable[Any]:
        for name in names:
            if name in chunk.columns:
                return chunk.columns[name]
            if name in said:
                return repeat(said[name])
        return repeat(None)


class MissingColumnError(ValueError):
    """Says which column was expected."""


def first_of(wanted: Sequence[str], names: Sequence[str], said: Said | None = None) -> str:
    """The first of the wanted columns that there is; a field of an object counts where the object does.

    Raises:
        MissingColumnError: there is none.
    """
    for name in wanted:
        if name in names or name.partition(".")[0] in names or name in (said or {}):
            return name
    raise MissingColumnError(f"a column {' or '.join(map(repr, wanted))}")


def hashable(keys: Iterable[tuple]) -> Iterator[tuple]:
    """Keys that can be looked up: a list or an object in a cell is no text, and is shown as one."""
    for key in keys:
        try:
            hash(key)
        except TypeError:
            key = tuple(repr(cell) if type(cell) in (list, dict) else cell for cell in key)
        yield key


def places(file: Path, chunk: Chunk) -> Where:
    """Names the place of a row of a chunk."""
    return lambda index: f"{file}: row {chunk.rows[index]}"
