"""What a sweep does before and after its jobs: it writes its plan, then a table from best to worst and a status."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from prefillroute.config.guard import say_error
from prefillroute.errors import UserError
from prefillroute.jobs.plan import write_plan
from prefillroute.reports.sweep import summarise_sweep, summary_metrics
from prefillroute.training.refine import refine_jobs


class SweepStudy(Protocol):
    """A study that chooses the jobs of a sweep by the results of those before."""

    def begin(self, config: DictConfig) -> None:
        """Prepare the sweeper of a sweep's configuration before the first job.

        Raises:
            UserError: the study cannot begin or go on.
        """

    def report(self, sweep_dir: Path) -> Path | None:
        """Report on the study after the last job.

        Raises:
            UserError: there is no study, or the folder is not writable.
        """


class SweepSummary(Callback):
    """Hydra callback that prints the summary of all run folders below the sweep's folder after the last job.

    Args:
        sort_by: metric of metrics.json's section ``test`` that orders the jobs.
        refine: how many of the best predictors get intervals from 1,000 resamples, under each of their calibrations,
            however many resamples the sweep's jobs have.
        refine_also: further predictors that get such intervals, each named by its `experiment/semantic` or part of it.
        shown: metrics in the table's columns; empty means the usual ones.
        study: of a sweeper that optimises; None for a sweep whose jobs are known before it begins.

    Raises:
        UserError: a metric is unknown, or `refine` is negative.
    """

    def __init__(
        self,
        sort_by: str = "mean_auc",
        refine: int = 0,
        refine_also: Sequence[str] = (),
        shown: Sequence[str] = (),
        study: SweepStudy | None = None,
    ) -> None:
        self.sort_by, self.refine = sort_by, refine
        self.refine_also, self.shown = tuple(map(str, refine_also)), tuple(map(str, shown))
        self.study = study
        summary_metrics(sort_by, self.shown)
        if refine < 0:
            raise UserError(f"refine: expected 0 (none) or more, found {refine}")

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Write sweep.json, and log how to resume after an interruption; exit with 1 if a study cannot begin."""
        if self.study is not None:
            try:
                self.study.begin(config)
            except UserError as error:
                say_error(error)
                raise SystemExit(1) from None
        write_plan(config, self.shown)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Refine, write summary.csv and summary.html into the sweep's folder, and exit with 1 if a job failed."""
        folder = Path(config.hydra.sweep.dir)
        # SystemExit passes Hydra's callback guard, which turns ordinary exceptions into warnings.
        try:
            refine_jobs(folder, self.sort_by, self.refine, self.refine_also)
            unfinished = summarise_sweep(folder, self.sort_by)
            if self.study is not None:
                self.study.report(folder)
        except (UserError, OSError) as error:
            say_error(error)
            raise SystemExit(1) from None
        if unfinished:
            raise SystemExit(1)
