"""Splits a pool's queries into train, calibration and test parts (DESIGN section 4)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from prefillroute.errors import UserError
from prefillroute.outcomes.evaluation_only import EVALUATION_ONLY, is_evaluation_only
from prefillroute.outcomes.strata import strata
from prefillroute.outcomes.stratified import assign_parts
from prefillroute.outcomes.table import Outcomes
from prefillroute.outcomes.training_subset import check_most, training_subset


@dataclass(frozen=True)
class Split:
    """Row indices of the three parts: ascending and disjoint; `calibration` may be empty; rows may be in no part."""

    train: np.ndarray
    calibration: np.ndarray
    test: np.ndarray

    def names(self, num_queries: int) -> np.ndarray:
        """(num_queries,) part of every query: "train", "calibration", "test" or "" (none)."""
        names = np.full(num_queries, "", dtype=object)
        names[self.train], names[self.calibration], names[self.test] = "train", "calibration", "test"
        return names


class StratifiedSplit:
    """Gives every part the same mix of benchmarks and agreement classes; a split in the data takes precedence.

    Queries for evaluation only are always in the test part, on top of the others' shares; their duplicates in none.

    Args:
        test_size: the test part's share of all queries.
        calibration_size: the calibration part's share of all queries, taken from the training part; 0: none.
        column: column with the data's own split, which is used if the table has it; null ignores it.
        seed: seed of the shuffle.
        max_train_queries: size of the training part if it would be greater; see `training_subset`. The other parts stay
            as they are. None keeps all.
        subset_seed: seed of the choice of these queries.
    """

    def __init__(
        self,
        test_size: float = 0.15,
        calibration_size: float = 0.0,
        column: str | None = "split",
        seed: int = 0,
        max_train_queries: int | None = None,
        subset_seed: int = 0,
    ) -> None:
        _check_share("split.test_size", test_size, least=0.0)
        _check_share("split.calibration_size", calibration_size)
        if test_size + calibration_size >= 1:
            raise UserError(
                "split: expected test_size and calibration_size that leave a training part (a sum below 1), found "
                f"{test_size} and {calibration_size}"
            )
        self.test_size = test_size
        self.calibration_size = calibration_size
        self.column = column
        self.seed = seed
        self.max_train_queries = check_most(max_train_queries)
        self.subset_seed = subset_seed

    def split(self, outcomes: Outcomes) -> Split:
        """Assign queries to parts; all of them, unless the training part is cut down.

        Raises:
            UserError: a part would be empty, or the data's own split separates two duplicates.
        """
        group = outcomes.duplicates
        held = is_evaluation_only(outcomes.queries)
        free = ~np.isin(group, group[held])
        part = np.where(held, "test", "").astype(object)
        if self.column is not None and self.column in outcomes.queries:
            part[free] = outcomes.queries[self.column].to_numpy(dtype=object)[free]
            _refuse_crossing(part, group, outcomes, self.column, free)
        else:
            rows = np.flatnonzero(free)
            shares = (1 - self.test_size, self.test_size)
            in_test = assign_parts(strata(outcomes, rows), group[rows], shares, self.seed) == 1
            part[rows] = np.where(in_test, "test", "train")
        if self.calibration_size > 0 and not (part == "calibration").any():
            share = self.calibration_size * float(free.mean())
            _cut_calibration(part, group, outcomes, share, self.seed)
        return _checked(part, held, outcomes, self.max_train_queries, self.subset_seed)


class _LeaveOneOut:
    """Makes all queries of one label the test part; training queries with a near duplicate in it are left out.

    Queries for evaluation only are in the test part as well, whatever their label.
    """

    label: ClassVar[str]
    """The column of labels, and the key under which one of them is chosen."""

    def __init__(
        self,
        left_out: str | None,
        calibration_size: float,
        seed: int,
        max_train_queries: int | None,
        subset_seed: int,
    ) -> None:
        _check_share("split.calibration_size", calibration_size)
        self.left_out = left_out
        self.calibration_size = calibration_size
        self.seed = seed
        self.max_train_queries = check_most(max_train_queries)
        self.subset_seed = subset_seed

    def split(self, outcomes: Outcomes) -> Split:
        """Assign queries to parts.

        Raises:
            UserError: the label is unknown, or is the only one.
        """
        names = outcomes.queries[self.label].to_numpy(dtype=object)
        if self.left_out not in names:
            raise UserError(
                f"split.{self.label}: expected one of {', '.join(sorted(set(names)))}, found {self.left_out!r}"
            )
        held = is_evaluation_only(outcomes.queries)
        in_test = (names == self.left_out) | held
        group = outcomes.duplicates
        touched = np.isin(group, group[in_test])
        part = np.where(in_test, "test", np.where(touched, "", "train")).astype(object)
        if self.calibration_size > 0:
            share = self.calibration_size * float((part == "train").mean())
            _cut_calibration(part, group, outcomes, share, self.seed)
        return _checked(part, held, outcomes, self.max_train_queries, self.subset_seed)


class LeaveOneBenchmarkOut(_LeaveOneOut):
    """Makes one whole benchmark the test part; training queries with a near duplicate in it are left out.

    Args:
        benchmark: a value of the table's `benchmark` column.
        calibration_size: share of the other queries that becomes the calibration part.
        seed: seed of the shuffle.
        max_train_queries, subset_seed: as for `StratifiedSplit`.
    """

    label = "benchmark"

    def __init__(
        self,
        benchmark: str | None,
        calibration_size: float = 0.0,
        seed: int = 0,
        max_train_queries: int | None = None,
        subset_seed: int = 0,
    ) -> None:
        super().__init__(benchmark, calibration_size, seed, max_train_queries, subset_seed)


class LeaveOneCategoryOut(_LeaveOneOut):
    """Makes one whole category the test part; training queries with a near duplicate in it are left out.

    Args:
        category: a value of the table's `category` column.
        calibration_size: share of the other queries that becomes the calibration part.
        seed: seed of the shuffle.
        max_train_queries, subset_seed: as for `StratifiedSplit`.
    """

    label = "category"

    def __init__(
        self,
        category: str | None,
        calibration_size: float = 0.0,
        seed: int = 0,
        max_train_queries: int | None = None,
        subset_seed: int = 0,
    ) -> None:
        super().__init__(category, calibration_size, seed, max_train_queries, subset_seed)


def _cut_calibration(
    part: np.ndarray, group: np.ndarray, outcomes: Outcomes, share: float, seed: int
) -> None:
    """Move ``share`` of all queries from the training part to the calibration part, in place."""
    rows = np.flatnonzero(part == "train")
    of_train = share * len(part) / max(len(rows), 1)
    if of_train >= 1:
        raise UserError(
            f"split.calibration_size: expected less than {len(rows) / len(part):g}, the training part's share, found "
            f"{share:g}"
        )
    # Use another seed than the test part's; otherwise both parts would be cut from the same shuffled order.
    chosen = assign_parts(strata(outcomes, rows), group[rows], (1 - of_train, of_train), seed + 1) == 1
    part[rows[chosen]] = "calibration"


def _refuse_crossing(
    part: np.ndarray, group: np.ndarray, outcomes: Outcomes, column: str, free: np.ndarray
) -> None:
    order = np.argsort(group, kind="stable")
    order = order[free[order]]
    crossing = (group[order][1:] == group[order][:-1]) & (part[order][1:] != part[order][:-1])
    if crossing.any():
        at = int(np.argmax(crossing))
        ids = outcomes.queries["query_id"]
        first, second = order[at], order[at + 1]
        raise UserError(
            f"column '{column}': expected duplicates in one part, found query '{ids[first]}' in {part[first]} and "
            f"'{ids[second]}' in {part[second]}; give them one part, or set split.column=null"
        )


def _checked(part: np.ndarray, held: np.ndarray, outcomes: Outcomes, most: int | None, seed: int) -> Split:
    """The parts as rows, the training part cut down to `most`."""
    train, calibration, test = (np.flatnonzero(part == name) for name in ("train", "calibration", "test"))
    if len(train) == 0 and held.any():
        raise UserError(
            f"split: expected queries to train on, found {held.sum():,} of {len(part):,} for evaluation only (column "
            f"{EVALUATION_ONLY} of queries.parquet) and none beside them for training; train on another pool"
        )
    if len(train) == 0 or len(test) == 0:
        raise UserError(
            f"split: expected at least 1 query for training and 1 for the test, found {len(train)} and {len(test)} of "
            f"{len(part)}"
        )
    return Split(training_subset(outcomes, train, most, seed), calibration, test)


def _check_share(key: str, value: float, least: float | None = None) -> None:
    if not 0 <= value < 1 or value == least:
        raise UserError(
            f"{key}: expected a share {'above 0' if least == 0 else 'of 0 or more'} and below 1, found {value}"
        )
