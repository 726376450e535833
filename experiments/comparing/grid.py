"""The best predictors of a finished grid, chosen on rows that are not test."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from prefillroute.errors import UserError
from prefillroute.reports.families import PREDICTOR_KEY
from prefillroute.reports.headline import number
from prefillroute.reports.sweep_jobs import Job, read_jobs

PREFILL = "prefill"
"""The option of conf/experiment/semantic that is the paper's router."""
COMBINED = ("union_", "blend_")
"""How the names of unions and blends begin."""


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
    folder: Path | None = None
    """The finished run that it was found by."""

    @classmethod
    def parse(cls, text: str) -> "Choice":
        """``name`` or ``name:calibration``."""
        name, _, calibration = text.partition(":")
        return cls(name, calibration or None)


def best_of_grid(grid: Path, count: int | None, wanted: Callable[[str], bool]) -> list[Choice]:
    """The `count` best predictors of a grid, best first, each under its best calibration.

    They are ranked by mean AUC on the rows that calibrator and lambda were fitted on: the calibration part or, without
    one, the out-of-fold rows. Test rows are not read. A job on fewer queries than the others have (a toy) is left out:
    its AUC is another pool's.

    Args:
        grid: sweep folder over `experiment/semantic` and `calibration`.
        count: predictors at most; None takes all.
        wanted: whether a predictor, by its name, may be chosen.

    Raises:
        UserError: no such folder, no finished job of a wanted predictor in it, or one without these numbers.
    """
    jobs = [
        job
        for job in read_jobs(grid)
        if job.metrics is not None and wanted(job.overrides.get(PREDICTOR_KEY, ""))
    ]
    sizes = [number(job.metrics["test"], "num_queries") or 0 for job in jobs if job.metrics is not None]
    jobs = [job for job, size in zip(jobs, sizes, strict=True) if size == max(sizes)]
    best: dict[str, Choice] = {}
    for job in jobs:
        name = job.overrides[PREDICTOR_KEY]
        found = Choice(name, job.overrides.get("calibration"), *_quality(grid, job), grid / job.folder)
        if name not in best or _rank(found) < _rank(best[name]):
            best[name] = found
    if not best:
        raise UserError(
            f"{grid}: found no finished job of a semantic router, wanted a sweep over {PREDICTOR_KEY}"
        )
    return sorted(best.values(), key=_rank)[:count]


def is_semantic(name: str) -> bool:
    """Whether a predictor of the grid, by its name, reads no prefill and is no combination."""
    return bool(name) and PREFILL not in name and not name.startswith(COMBINED)


def _rank(choice: Choice) -> tuple[float, float]:
    """Greatest AUC first; monotone calibrations share theirs up to rounding, then the least Brier score is first."""
    assert choice.auc is not None
    assert choice.brier is not None
    return -round(choice.auc, 9), choice.brier


def _quality(grid: Path, job: Job) -> tuple[float, float]:
    auc, brier = job.value("selection_auc"), job.value("selection_brier")
    if auc is None or brier is None:
        raise UserError(
            f"{grid / job.folder}/metrics.json: found no selection_auc, wanted a run on calibration or out-of-fold rows"
        )
    return auc, brier
