"""What an importer has read so far, and the two tables it becomes."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from prefillroute.outcomes.importers.records.values import BadCellError, checked_text
from prefillroute.outcomes.importers.spelling import spelling_note
from prefillroute.outcomes.importers.texts import most_frequent
from prefillroute.outcomes.table import MEASURES

MEASURED = ("correct", *MEASURES)


@dataclass
class Skipped:
    """Records left out for one reason."""

    count: int = 0
    example: str = ""
    """Where the first of them is."""


@dataclass
class ImportReport:
    """What an import did, for the person who ran it."""

    queries: int
    targets: tuple[str, ...]
    outcomes: int
    complete: int
    """Queries with every target's outcome."""
    skipped: dict[str, Skipped]
    notes: list[str]


@dataclass
class Collector:
    """Gathers outcomes record by record in compact columns.

    Two runs may hold different texts under one query id (a benchmark was revised between them; spaces do not
    count). They are different queries: the text that most outcomes belong to is kept, the others' outcomes are skipped.
    """

    skipped: dict[str, Skipped] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _texts: dict[tuple[str, str], int] = field(default_factory=dict)
    """(query_id, prompt without whitespace) -> text code."""
    _queries: list[dict[str, object]] = field(default_factory=list)
    """By text code."""
    _targets: dict[str, int] = field(default_factory=dict)
    _seen: set[tuple[int, int]] = field(default_factory=set)
    _text: array = field(default_factory=lambda: array("q"))
    _target: array = field(default_factory=lambda: array("q"))
    _measured: dict[str, array] = field(default_factory=lambda: {name: array("d") for name in MEASURED})

    @property
    def targets(self) -> tuple[str, ...]:
        """Names so far, in order of appearance."""
        return tuple(self._targets)

    def add(
        self,
        query: Mapping[str, str | None],
        target: str,
        where: str,
        correct: float,
        **measures: float | None,
    ) -> bool:
        """Take one outcome.

        Args:
            query: `query_id`, `benchmark`, `category`, `prompt`, extras.
            target: name of the model.
            where: file and record, for the report.
            correct: in [0, 1]; NaN: the call is known, its score is not.
            measures: any of ``MEASURES``; None is unknown.

        Returns:
            False when this target's outcome on this query was there already (the first one is kept), or a text
            cannot be written in UTF-8; both are counted as skipped.
        """
        try:
            text = self._text_code(query)
            if target not in self._targets:
                checked_text(target)
        except BadCellError as error:
            self.skip(f"record with a text that cannot be kept: {error}", where)
            return False
        target_code = self._targets.setdefault(target, len(self._targets))
        if (text, target_code) in self._seen:
            self.skip("second outcome of a target on a query", where)
            return False
        self._seen.add((text, target_code))
        self._text.append(text)
        self._target.append(target_code)
        for name, column in self._measured.items():
            value = correct if name == "correct" else measures.get(name)
            column.append(np.nan if value is None else value)
        return True

    def add_unique(
        self,
        queries: Sequence[Mapping[str, object]],
        targets: Sequence[str],
        query: np.ndarray,
        target: np.ndarray,
        values: Mapping[str, np.ndarray],
    ) -> None:
        """Take many outcomes at once, each of another query and target, instead of ``add`` one by one.

        Args:
            queries: as in ``add``, with checked texts and each with an id of its own; those without an outcome are
                not taken.
            targets: names.
            query: (outcomes,) int64 index into ``queries``.
            target: (outcomes,) int64 index into ``targets``.
            values: of ``MEASURED``, (outcomes,) float64 each.
        """
        codes = np.full(len(queries), -1, dtype=np.int64)
        for index in np.unique(query):
            codes[index] = self._texts[str(queries[index]["query_id"]), ""] = len(self._queries)
            self._queries.append(dict(queries[index]))
        names = np.array(
            [self._targets.setdefault(name, len(self._targets)) for name in targets], dtype=np.int64
        )
        self._text.frombytes(codes[query].tobytes())
        self._target.frombytes(names[target].tobytes())
        for name, column in self._measured.items():
            column.frombytes(values[name].tobytes())

    def skip(self, reason: str, where: str, count: int = 1) -> None:
        """Count records that are left out; ``where`` is the first of them."""
        entry = self.skipped.setdefault(reason, Skipped(example=where))
        entry.count += count

    def frames(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The tables of an outcome folder, queries and outcomes, less measures that nothing is known of."""
        names = dict.fromkeys(name for query in self._queries for name in query)
        queries = pd.DataFrame({name: [query.get(name) for query in self._queries] for name in names})
        text = np.frombuffer(self._text, dtype=np.int64)
        kept = most_frequent([key[0] for key in self._texts], text)
        rows = kept[text] if len(text) else np.empty(0, dtype=bool)
        for code in text[~rows]:
            self.skip("another text under the same query id", str(queries["query_id"].iloc[code]))
        target = np.frombuffer(self._target, dtype=np.int64)[rows]
        outcomes = pd.DataFrame(
            {
                # Taken by code from columns of text, which is faster than making text of every row anew.
                "query_id": _taken(queries["query_id"], text[rows]) if len(text) else [],
                "target": _taken(pd.Series(self.targets, dtype=object).infer_objects(), target),
            }
        )
        for name, column in self._measured.items():
            values = np.frombuffer(column, dtype=np.float64)[rows]
            if name == "correct" or not np.isnan(values).all():
                outcomes[name] = values.copy()
        used = np.zeros(len(queries), dtype=bool)
        used[text[rows]] = True
        return queries[used].reset_index(drop=True), outcomes

    def report(self, outcomes: pd.DataFrame) -> ImportReport:
        """Counts for the person who imports."""
        per_query = outcomes["query_id"].value_counts()
        targets = tuple(outcomes["target"].unique())
        alike = spelling_note("targets", targets)
        return ImportReport(
            queries=len(per_query),
            targets=targets,
            outcomes=len(outcomes),
            complete=int((per_query == len(targets)).sum()),
            skipped=self.skipped,
            notes=self.notes + ([alike] if alike else []),
        )

    def _text_code(self, query: Mapping[str, str | None]) -> int:
        key = (str(query["query_id"]), "".join(str(query["prompt"]).split()))
        code = self._texts.get(key)
        if code is None:
            checked = {name: None if text is None else checked_text(text) for name, text in query.items()}
            code = self._texts[key] = len(self._queries)
            self._queries.append(dict(checked))
        return code


def _taken(texts: pd.Series, codes: np.ndarray) -> pd.Series:
    return texts.take(codes).reset_index(drop=True)
