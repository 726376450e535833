"""Makes the intervals of a sweep's most important jobs more precise, with more resamples of their predictions."""

import logging
from collections.abc import Sequence
from pathlib import Path

from joblib import Parallel, delayed, parallel_config

from prefillroute import threads
from prefillroute.errors import UserError
from prefillroute.reports.families import PREDICTOR_KEY
from prefillroute.reports.report import write_report
from prefillroute.reports.run_folder import read_metrics
from prefillroute.reports.run_table import read_confidence_table, read_config
from prefillroute.reports.sweep import best_first, summary_metrics
from prefillroute.reports.sweep_jobs import Job, read_jobs
from prefillroute.routing.evaluation import NUM_RESAMPLES, evaluate
from prefillroute.training.measuring import evaluation_settings
from prefillroute.training.progress import progress_bar
from prefillroute.training.results import write_metrics

log = logging.getLogger(__name__)


def refine_jobs(
    sweep_dir: Path, sort_by: str, num_best: int, also: Sequence[str] = (), num_resamples: int = NUM_RESAMPLES
) -> int:
    """Recompute the intervals of the best predictors, and of named ones, under each of their calibrations.

    Jobs that already have as many resamples are skipped, so that an interrupted refinement continues. A job that cannot
    be recomputed keeps its numbers, and a warning says why.

    Args:
        sweep_dir: folder of the sweep.
        sort_by: metric that orders the jobs.
        num_best: how many of the best predictors to refine. Predictors are counted rather than jobs because
            calibrations that keep the order of the queries share their AUC, so a few predictors would fill all places.
        also: additional predictors, see `named_jobs`.
        num_resamples: resamples for the new intervals.

    Returns:
        The number of jobs with new intervals.

    Raises:
        UserError: there is no job, or the metric is unknown.
    """
    if not num_best and not also:
        return 0
    metric, _ = summary_metrics(sort_by)
    jobs = [job for job in read_jobs(sweep_dir) if job.metrics is not None]
    ranked = [job for job in best_first(jobs, metric) if job.value(metric.key) is not None]
    best = set(list(dict.fromkeys(job.predictor for job in ranked))[:num_best])
    chosen = {
        job.folder: job
        for job in [*(job for job in ranked if job.predictor in best), *named_jobs(jobs, also)]
    }
    coarse = [folder for folder, job in chosen.items() if _num_resamples(job) < num_resamples]
    refined = 0
    # A job's resamples run on one core, so each core takes a job; with a single core the work stays in this process.
    at_once = min(len(coarse), threads.cores()) or 1
    share = min(threads.allowed(), threads.cores() // at_once)
    workers = parallel_config("loky", n_jobs=at_once, inner_max_num_threads=share)
    with progress_bar("intervals") as report, workers:
        ended = Parallel(return_as="generator_unordered")(
            delayed(_refined)(sweep_dir, folder, num_resamples) for folder in coarse
        )
        for done, (folder, error) in enumerate(ended, start=1):
            if error:
                log.warning("%s keeps its intervals: %s", folder, error)
            else:
                refined += 1
            report(done, len(coarse), folder)
    return refined


def named_jobs(jobs: Sequence[Job], names: Sequence[str]) -> list[Job]:
    """Jobs whose `experiment/semantic` is one of the names; a name that equals no value may match part of one."""
    values = {value for job in jobs if (value := job.overrides.get(PREDICTOR_KEY)) is not None}
    wanted: set[str] = set()
    for name in names:
        found = {name} & values or {value for value in values if name in value}
        if not found:
            log.warning("refine_also: no finished job of %s", name)
        wanted |= found
    return [job for job in jobs if job.overrides.get(PREDICTOR_KEY) in wanted]


def refine_run(folder: Path, num_resamples: int = NUM_RESAMPLES) -> None:
    """Evaluate a run's predictions again and replace the numbers in its metrics.json.

    Raises:
        UserError: a file of the run or its pool's queries are missing or damaged.
    """
    config = read_config(folder)
    settings = {**evaluation_settings(config), "num_resamples": num_resamples}
    evaluation = evaluate(read_confidence_table(folder), **settings, seed=config.seed)
    write_metrics(folder, {**read_metrics(folder), **evaluation.metrics})
    if (folder / "report.html").exists():
        write_report(folder)


def _refined(sweep_dir: Path, folder: str, num_resamples: int) -> tuple[str, str]:
    """Refine one folder; return it and the reason for a failure (empty if it succeeded)."""
    try:
        refine_run(sweep_dir / folder, num_resamples)
    except UserError as error:
        return folder, str(error)
    return folder, ""


def _num_resamples(job: Job) -> int:
    return int((job.metrics or {}).get("num_resamples") or 0)
