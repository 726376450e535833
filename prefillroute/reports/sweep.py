"""A sweep at a glance: jobs best to worst in the terminal, summary.csv, summary.html, and what failed."""

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from prefillroute.errors import UserError
from prefillroute.reports.catalogue import METRICS, Metric
from prefillroute.reports.headline import interval, interval_text
from prefillroute.reports.numbers import MISSING
from prefillroute.reports.sweep_jobs import Job, read_jobs
from prefillroute.reports.sweep_page import render_sweep

SHOWN = (
    "mean_auc",
    "mean_brier",
    "relative_auc",
    "hull_gain",
    "hull_gain_over_constant",
    "mdp_auccc",
    "headroom_captured",
)
"""Columns of the summary; summary.csv has every metric."""


def summarise_sweep(sweep_dir: Path, sort_by: str = "mean_auc", console: Console | None = None) -> int:
    """Print a sweep's jobs best to worst, write summary.csv and summary.html into its folder.

    Args:
        sweep_dir: folder with one run folder per job, at any depth.
        sort_by: metric of metrics.json's section ``test`` that orders the jobs; null comes last.
        console: where to print; standard output by default.

    Returns:
        The number of failed jobs.

    Raises:
        UserError: no job, an unknown metric, or a folder that cannot be written.
    """
    metric = next((entry for entry in METRICS if entry.key == sort_by), None)
    if metric is None or not metric.better:
        allowed = ", ".join(entry.key for entry in METRICS if entry.better)
        raise UserError(f"sort_by={sort_by}: found no such metric, wanted one of {allowed}")
    sweep_dir = Path(sweep_dir)
    jobs = read_jobs(sweep_dir)
    finished = best_first([job for job in jobs if job.metrics is not None], metric)
    failed = [job for job in jobs if job.metrics is None]
    varied = varied_keys(jobs)
    shown = [entry for key in SHOWN for entry in METRICS if entry.key == key]
    if metric not in shown:
        shown.insert(0, metric)
    page = render_sweep(sweep_dir, finished, failed, varied, shown, metric)
    frame = summary_frame([*finished, *failed], varied)
    try:
        _replace(sweep_dir / "summary.csv", frame.to_csv(index=False))
        _replace(sweep_dir / "summary.html", page)
    except OSError as error:
        raise UserError(
            f"{sweep_dir}: cannot be written ({error.strerror}), wanted a writable folder"
        ) from error
    _print(console or _console(), finished, failed, varied, shown, metric)
    return len(failed)


def is_sweep(folder: Path) -> bool:
    """Whether a folder holds jobs, and is not a run itself."""
    is_run = any((folder / name).exists() for name in ("metrics.json", "status.json", ".hydra"))
    return folder.is_dir() and not is_run and any(folder.rglob("status.json"))


def best_first(jobs: Sequence[Job], metric: Metric) -> list[Job]:
    """Order finished jobs by a metric; null last, equals as they were started."""
    sign = -1.0 if metric.better == "higher" else 1.0

    def place(job: Job) -> tuple[bool, float]:
        value = job.value(metric.key)
        return (True, 0.0) if value is None else (False, sign * value)

    return sorted(jobs, key=place)


def varied_keys(jobs: Sequence[Job]) -> list[str]:
    """The overridden keys that are not the same in every job; all of them when only one job ran."""
    keys = list(dict.fromkeys(key for job in jobs for key in job.overrides))
    varied = [key for key in keys if len({job.overrides.get(key) for job in jobs}) > 1]
    return varied or keys


def summary_frame(jobs: Sequence[Job], varied: Sequence[str]) -> pd.DataFrame:
    """One row per job: folder, state, varied overrides, every global metric with its interval, the error."""
    rows = []
    for job in jobs:
        row: dict[str, object] = {
            "folder": job.folder,
            "state": "failed" if job.metrics is None else "finished",
        }
        row |= {key: job.overrides.get(key) for key in varied}
        for key, value in (job.metrics or {}).get("test", {}).items():
            if value is not None and not isinstance(value, int | float | str):
                continue
            row[key] = value
            if ends := interval(job.metrics or {}, key):
                row[f"{key}_low"], row[f"{key}_high"] = ends
        rows.append({**row, "error": job.error})
    return pd.DataFrame(rows)


def job_name(job: Job, varied: Sequence[str]) -> str:
    """What tells this job from the others: its varied overrides, or its folder."""
    said = [f"{key}={job.overrides[key]}" for key in varied if key in job.overrides]
    return " ".join(said) or job.folder


def _print(
    console: Console,
    finished: Sequence[Job],
    failed: Sequence[Job],
    varied: Sequence[str],
    shown: Sequence[Metric],
    metric: Metric,
) -> None:
    if finished:
        table = RichTable(
            title=f"{len(finished)} finished, by {metric.label} ({metric.direction})", title_justify="left"
        )
        for key in varied or ["job"]:
            table.add_column(key, overflow="fold")
        for entry in shown:
            table.add_column(Text(f"{entry.label}\n{entry.direction}"), justify="right")
        for job in finished:
            names = [job.overrides.get(key, MISSING) for key in varied] or [job.folder]
            cells = [Text(name) for name in names]
            for entry in shown:
                ends = interval_text(job.metrics or {}, entry)
                value = entry.form(job.value(entry.key))
                cells.append(Text(value if ends == MISSING else f"{value}\n{ends}"))
            table.add_row(*cells)
        console.print(table)
    for job in failed:
        console.print(Text(f"failed: {job_name(job, varied)}: {job.error}"), soft_wrap=True)


def _console() -> Console:
    """The terminal at its own width; 160 columns for a log file, where rich would cut at 80."""
    console = Console()
    return console if console.is_terminal else Console(width=160)


def _replace(path: Path, text: str) -> None:
    """Write under a temporary name first, so that a reader never sees half a file."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
