"""The matrix of a pool: which predictor tells which target's queries apart, as a table of AUC with colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from prefillroute.reports.headline import number
from prefillroute.reports.sweep_jobs import Job
from prefillroute.reports.sweep_page.groups import SEED
from prefillroute.reports.sweep_page.pools import Pool

AVERAGED = (SEED, "calibration")
"""Runs that differ only in these share a row: a calibration hardly changes the order of the confidences."""
MOST_ROWS = 40
STEPS = 8
"""Number of shades."""


@dataclass(frozen=True)
class Cell:
    """One predictor's AUC on one target."""

    auc: float | None
    shade: int
    """0 (least of the matrix) to STEPS - 1."""
    best: bool
    """Whether no other row has a greater AUC on this target."""


@dataclass(frozen=True)
class MatrixRow:
    """One predictor."""

    name: str
    num_runs: int
    cells: tuple[Cell, ...]
    """The mean over targets, then one per target."""


@dataclass(frozen=True)
class Matrix:
    """Rows x targets, best row first."""

    rows: tuple[MatrixRow, ...]
    num_left_out: int
    """Number of rows beyond the best MOST_ROWS."""
    ends: tuple[float, ...]
    """(STEPS + 1,) the AUC at which each shade begins, and the end of the last."""
    averaged: tuple[str, ...]
    """The varied keys over which a row is the mean."""


def matrix_of(pool: Pool, finished: Sequence[Job], varied: Sequence[str]) -> Matrix | None:
    """The matrix of a pool; None where fewer than two predictors have an AUC."""
    averaged = tuple(key for key in AVERAGED if key in varied)
    keys = [key for key in varied if key not in averaged]
    together: dict[tuple[str | None, ...], list[Job]] = {}
    for index in pool.members:
        job = finished[index]
        together.setdefault(tuple(job.overrides.get(key) for key in keys), []).append(job)
    # A key that is the same in all rows of this pool (the pool, for instance) does not name them.
    telling = [place for place in range(len(keys)) if len({values[place] for values in together}) > 1]
    rows = []
    for values, jobs in together.items():
        said = [f"{keys[place]}={values[place]}" for place in telling if values[place] is not None]
        aucs = [_mean([_auc(job, target) for job in jobs]) for target in pool.targets]
        if any(auc is not None for auc in aucs):
            rows.append((" ".join(said) or jobs[0].folder, len(jobs), [_mean(aucs), *aucs]))
    if len(rows) < 2:
        return None
    rows.sort(key=lambda row: -(row[2][0] or 0.0))
    shown = rows[:MOST_ROWS]
    known = [auc for _, _, aucs in shown for auc in aucs if auc is not None]
    low, high = min(known), max(known)
    greatest = [
        max((auc for auc in column if auc is not None), default=None)
        for column in zip(*(aucs for _, _, aucs in shown), strict=True)
    ]
    width = (high - low) / STEPS
    return Matrix(
        rows=tuple(
            MatrixRow(
                name,
                num_runs,
                tuple(
                    Cell(auc, _shade(auc, low, width), auc is not None and auc == top)
                    for auc, top in zip(aucs, greatest, strict=True)
                ),
            )
            for name, num_runs, aucs in shown
        ),
        num_left_out=len(rows) - len(shown),
        ends=tuple(low + step * width for step in range(STEPS + 1)),
        averaged=averaged,
    )


def _shade(auc: float | None, low: float, width: float) -> int:
    return 0 if auc is None or width <= 0 else min(int((auc - low) / width), STEPS - 1)


def _auc(job: Job, target: str) -> float | None:
    return number((job.metrics or {})["targets"].get(target) or {}, "auc")


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
