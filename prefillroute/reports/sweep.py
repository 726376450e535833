"""Sums up a sweep: its jobs from best to worst and its failures, in the terminal, summary.csv and summary.html."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from prefillroute.errors import UserError
from prefillroute.files import write_text
from prefillroute.jobs.plan import read_plan
from prefillroute.jobs.states import missing
from prefillroute.reports.catalogue import Metric, global_metrics
from prefillroute.reports.families import by_family, families, job_counts
from prefillroute.reports.headline import interval
from prefillroute.reports.numbers import count, joined
from prefillroute.reports.sweep_jobs import Job, read_jobs
from prefillroute.reports.sweep_page.page import render_sweep
from prefillroute.reports.sweep_view import SweepView, print_sweep
from prefillroute.text.screen import Screen
from prefillroute.text.spreadsheet import csv_text
from prefillroute.text.visible import visible


def summarise_sweep(sweep_dir: Path, sort_by: str = "mean_auc", screen: Screen | None = None) -> int:
    """Print a sweep's jobs from best to worst, and write summary.csv and summary.html into its folder.

    If the jobs vary `experiment/semantic`, a second table adds them up by family.

    Args:
        sweep_dir: folder with one run folder per job, at any depth.
        sort_by: metric of metrics.json's section ``test`` that orders the jobs; jobs where it is null come last.
        screen: where to print; standard output by default.

    Returns:
        The number of jobs that failed or never started.

    Raises:
        UserError: there is no job, the metric is unknown, or the folder is not writable.
    """
    sweep_dir = Path(sweep_dir)
    plan = read_plan(sweep_dir)
    metric, shown = summary_metrics(sort_by, plan.shown)
    jobs = read_jobs(sweep_dir)
    finished = best_first([job for job in jobs if job.metrics is not None], metric)
    failed = [job for job in jobs if job.metrics is None]
    family_of = by_family(sweep_dir, finished)
    view = SweepView(
        finished=finished,
        failed=failed,
        num_missing=missing(plan.jobs or (), [job.overrides for job in jobs]),
        command=plan.command,
        varied=varied_keys(jobs),
        shown=shown,
        metric=metric,
        note=resamples_note(finished),
        families=families(finished, family_of) if family_of else [],
    )
    frame = summary_frame([*finished, *failed], view.varied, family_of)
    try:
        write_text(sweep_dir / "summary.csv", csv_text(frame))
        write_text(sweep_dir / "summary.html", render_sweep(sweep_dir, view))
    except OSError as error:
        raise UserError(f"{sweep_dir}: expected a writable folder, found {error.strerror}") from error
    print_sweep(screen or Screen(columns=160), view)
    return view.num_unfinished


def is_sweep(folder: Path) -> bool:
    """Whether a folder holds jobs, and is not a run itself."""
    is_run = any((folder / name).exists() for name in ("metrics.json", "status.json", ".hydra"))
    return folder.is_dir() and not is_run and any(folder.rglob("status.json"))


def summary_metrics(sort_by: str, shown: Sequence[str] = ()) -> tuple[Metric, list[Metric]]:
    """The metric that orders the jobs, and the metrics of the columns, by default those that are declared for sweeps.

    Raises:
        UserError: a metric is unknown, or the first one has no better direction.
    """
    known = {entry.key: entry for entry in global_metrics()}
    ordered = [entry.key for entry in known.values() if entry.better]
    if sort_by not in ordered:
        raise UserError(f"sort_by: expected one of {', '.join(ordered)}, found {sort_by}")
    for key in shown:
        if key not in known:
            raise UserError(f"shown: expected some of {', '.join(known)}, found {key}")
    columns = [known[key] for key in shown] or list(global_metrics("sweep"))
    metric = known[sort_by]
    return metric, columns if metric in columns else [metric, *columns]


def best_first(jobs: Sequence[Job], metric: Metric) -> list[Job]:
    """Order finished jobs by a metric: jobs where it is null come last, and ties keep the order of their start."""
    sign = -1.0 if metric.better == "higher" else 1.0

    def place(job: Job) -> tuple[bool, float]:
        value = job.value(metric.key)
        return (True, 0.0) if value is None else (False, sign * value)

    return sorted(jobs, key=place)


def varied_keys(jobs: Sequence[Job]) -> list[str]:
    """The overridden keys whose values differ between jobs; all overridden keys if none differ."""
    keys = list(dict.fromkeys(key for job in jobs for key in job.overrides))
    varied = [key for key in keys if len({job.overrides.get(key) for job in jobs}) > 1]
    return varied or keys


def resamples_note(finished: Sequence[Job]) -> str:
    """State how many resamples the intervals are based on, if that number differs between jobs."""
    numbers = Counter(int((job.metrics or {}).get("num_resamples") or 0) for job in finished)
    if len(numbers) < 2:
        return ""
    said = [
        f"{count(resamples)} resamples in {count(jobs)} job{'s' * (jobs > 1)}"
        for resamples, jobs in numbers.items()
    ]
    return f"Intervals from {joined(said)}."


def summary_frame(
    jobs: Sequence[Job], varied: Sequence[str], family_of: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """One row per job: folder, state, varied overrides, family, every global metric with its interval, the error."""
    rows = []
    for job in jobs:
        row: dict[str, object] = {
            "folder": visible(job.folder),
            "state": "failed" if job.metrics is None else "finished",
        }
        row |= {key: visible(job.overrides[key]) for key in varied if key in job.overrides}
        if family_of and job.folder in family_of:
            row |= {"family": family_of[job.folder], **job_counts(job)}
        row["num_resamples"] = (job.metrics or {}).get("num_resamples")
        for key, value in (job.metrics or {}).get("test", {}).items():
            if value is not None and not isinstance(value, int | float | str):
                continue
            row[key] = value
            if ends := interval(job.metrics or {}, key):
                row[f"{key}_low"], row[f"{key}_high"] = ends
        rows.append({**row, "error": visible(job.error) if job.error else None})
    return pd.DataFrame(rows)
