"""The best predictors of a finished grid, chosen on rows that are not test."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from prefillroute.errors import UserError
from prefillroute.metrics.brier import brier
from prefillroute.metrics.roc_auc import roc_auc
from prefillroute.reports.families import PREDICTOR_KEY
from prefillroute.reports.headline import number
from prefillroute.reports.run_table import read_predictions
from prefillroute.reports.sweep_jobs import read_jobs

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """A predictor of conf/experiment/semantic, with its calibration."""

    name: str
    calibration: str | None = None
    """Null takes the run's default."""
    auc: float | None = None
    """Mean over targets on the calibration rows of the grid's pool."""
    brier: float | None = None
    """The same; decides between calibrations that leave the order of the queries alone."""

    @classmethod
    def parse(cls, text: str) -> "Choice":
        """``name`` or ``name:calibration``."""
        name, _, calibration = text.partition(":")
        return cls(name, calibration or None)


def best_of_grid(
    grid: Path,
    count: int,
    wanted: Callable[[str], bool],
    report: Callable[[int, int, str], None] = lambda done, total, step: None,
) -> list[Choice]:
    """The `count` best predictors of a grid, best first, each under its best calibration.

    They are ranked by mean AUC on the rows that calibrator and lambda were fitted on: the calibration part or, without
    one, the out-of-fold rows. Test rows are not read. A job on fewer queries than the others have (a toy) is left out:
    its AUC is another pool's.

    Args:
        grid: sweep folder over `experiment/semantic` and `calibration`.
        count: predictors at most.
        wanted: whether a predictor, by its name, may be chosen.
        report: told how far the reading is.

    Raises:
        UserError: no such folder, or no finished job of a wanted predictor in it.
    """
    jobs = [
        job
        for job in read_jobs(grid)
        if job.metrics is not None and wanted(job.overrides.get(PREDICTOR_KEY, ""))
    ]
    sizes = [number(job.metrics["test"], "num_queries") or 0 for job in jobs if job.metrics is not None]
    jobs = [job for job, size in zip(jobs, sizes, strict=True) if size == max(sizes)]
    best: dict[str, Choice] = {}
    for done, job in enumerate(jobs, start=1):
        name = job.overrides[PREDICTOR_KEY]
        report(done, len(jobs), name)
        found = Choice(name, job.overrides.get("calibration"), *_quality(grid / job.folder))
        if name not in best or _rank(found) < _rank(best[name]):
            best[name] = found
    if not best:
        raise UserError(
            f"{grid}: found no finished job of a semantic router, wanted a sweep over {PREDICTOR_KEY}"
        )
    return sorted(best.values(), key=_rank)[:count]


def _rank(choice: Choice) -> tuple[float, float]:
    """Greatest AUC first; monotone calibrations share theirs up to rounding, then the least Brier score is first."""
    assert choice.auc is not None
    assert choice.brier is not None
    return -round(choice.auc, 9), choice.brier


def _quality(folder: Path) -> tuple[float, float]:
    """Mean AUC and mean Brier score over targets on the calibration or out-of-fold rows; the worst where undefined."""
    table = read_predictions(folder, splits=("calibration",))
    if not len(table):
        table = read_predictions(folder, splits=("train_oof",))
    auc = roc_auc(table.confidence, table.labels)
    scores = brier(table.confidence, table.correct)
    if np.isnan(auc).all():
        return 0.0, 1.0
    return float(np.nanmean(auc)), float(np.nanmean(scores))
