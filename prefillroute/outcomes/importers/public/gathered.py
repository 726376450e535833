"""Outcomes of a public data set, column by column, and the table that they become."""

from array import array
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from prefillroute.outcomes.duplicates import GROUP_COLUMN, duplicate_groups
from prefillroute.outcomes.evaluation_only import EVALUATION_ONLY
from prefillroute.outcomes.importers.collector import MEASURED, Collector
from prefillroute.outcomes.importers.public.queries import RANKS, WHY, PublicQueries
from prefillroute.outcomes.importers.repeats import merged
from prefillroute.outcomes.importers.texts import most_frequent

NO_TARGET = -1
COUNTED = -1.0
"""Stands for a score that could not be read, which was counted where that was seen."""
Where = Callable[[int], str]
"""File and record of the i-th outcome that is handed over."""


@dataclass
class Gathered:
    """Everything read so far; `correct` and each measure is one array of numbers."""

    queries: PublicQueries
    collector: Collector
    """Told what is left out."""
    measures: Collection[str]
    """What the data set knows of a call besides `correct`."""
    _targets: dict[str, int] = field(default_factory=dict)
    _query: array = field(default_factory=lambda: array("q"))
    _target: array = field(default_factory=lambda: array("q"))
    _values: dict[str, array] = field(init=False)

    def __post_init__(self) -> None:
        self._values = {name: array("d") for name in ("correct", *self.measures)}

    def __len__(self) -> int:
        return len(self._query)

    def target(self, name: str | None) -> int:
        """Code of a target; ``NO_TARGET`` without a name."""
        if name is None or not name.strip():
            return NO_TARGET
        return self._targets.setdefault(name, len(self._targets))

    def take(
        self, query: np.ndarray, target: np.ndarray, values: Mapping[str, np.ndarray], where: Where
    ) -> None:
        """Add outcomes; those without query, target or score are counted as left out.

        Args:
            query: (outcomes,) int64 codes of ``queries``.
            target: (outcomes,) int64 codes of ``target``.
            values: `correct` (or ``COUNTED``) and measures, (outcomes,) float64 each; what is absent is unknown.
            where: names an outcome's place.
        """
        kept = values["correct"] != COUNTED
        faults = [(query == code, why) for code, why in WHY.items()]
        faults += [
            (target == NO_TARGET, "record without a target"),
            (np.isnan(values["correct"]), "record without a score"),
        ]
        for fault, why in faults:
            if (bad := np.flatnonzero(fault & kept)).size:
                self.collector.skip(why, where(int(bad[0])), len(bad))
                kept &= ~fault
        self._query.frombytes(query[kept].tobytes())
        self._target.frombytes(target[kept].tobytes())
        for name, column in self._values.items():
            known = values[name][kept] if name in values else np.full(int(kept.sum()), np.nan)
            column.frombytes(known.tobytes())

    def hand_over(self, evaluation_only: bool = False) -> None:
        """Give one outcome per query and target to the collector, with notes about what was merged or moved.

        Several rows of one cell become their mean.

        Args:
            evaluation_only: all rows are for tests, whatever the owners' parts.
        """
        query = np.frombuffer(self._query, dtype=np.int64)
        target = np.frombuffer(self._target, dtype=np.int64)
        values = {name: np.frombuffer(column, dtype=np.float64) for name, column in self._values.items()}
        if len(query) == 0:
            return
        kept = most_frequent(self.queries.ids, query)[query]
        if not kept.all():
            first = self.queries.ids[query[~kept][0]]
            self.collector.skip("another text under the same query id", first, int((~kept).sum()))
            query, target = query[kept], target[kept]
            values = {name: column[kept] for name, column in values.items()}
        cells = query * len(self._targets) + target
        first_rows, means = merged(cells, values, "mean")
        if len(first_rows) < len(cells):
            self._note_repeats(cells)
        query, target = query[first_rows], target[first_rows]
        unknown = np.full(len(first_rows), np.nan)
        self.collector.add_unique(
            self._rows(np.unique(query), evaluation_only),
            list(self._targets),
            np.unique(query, return_inverse=True)[1],
            target,
            {name: means.get(name, unknown) for name in MEASURED},
        )

    def _note_repeats(self, cells: np.ndarray) -> None:
        count = np.unique(cells, return_counts=True)[1]
        repeated = count[count > 1]
        self.collector.notes.append(
            f"{repeated.sum():,} rows repeat a query and target (up to {repeated.max():,} rows each) and became "
            f"{len(repeated):,} soft labels, their means"
        )

    def _rows(self, codes: np.ndarray, evaluation_only: bool) -> Sequence[Mapping[str, object]]:
        """The queries that have outcomes, in order of their codes."""
        columns: dict[str, list] = {"query_id": [self.queries.ids[code] for code in codes]}
        for name, column in self.queries.columns.items():
            columns[name] = [column[code] for code in codes]
        if evaluation_only:
            columns["split"] = ["test"] * len(codes)
            columns[EVALUATION_ONLY] = [True] * len(codes)
        else:
            self._settle_split(columns)
        if not any(columns[GROUP_COLUMN]):
            del columns[GROUP_COLUMN]
        return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]

    def _settle_split(self, columns: dict[str, list]) -> None:
        """Keep the owners' parts where there are several; queries with equal prompts go to the latest of theirs."""
        parts = set(columns["split"])
        if len(parts) < 2 or None in parts:
            del columns["split"]
            if parts != {None}:
                found = ", ".join(sorted(part or "none" for part in parts))
                self.collector.notes.append(f"no column split is written: expected every part, found {found}")
            return
        queries = pd.DataFrame({name: columns[name] for name in ("prompt", GROUP_COLUMN)})
        group = duplicate_groups(queries)
        ranks = np.array([RANKS[part] for part in columns["split"]])
        latest = np.zeros(group.max() + 1, dtype=np.int64)
        np.maximum.at(latest, group, ranks)
        names = list(RANKS)
        columns["split"] = [names[code] for code in latest[group]]
        if moved := int((latest[group] > ranks).sum()):
            self.collector.notes.append(
                f"{moved:,} queries have the prompt of a query in a later part (train, calibration, test) and moved "
                "there: duplicates stay together"
            )
