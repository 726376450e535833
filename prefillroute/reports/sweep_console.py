"""The summary of a sweep on the terminal."""

from collections.abc import Sequence

from rich.table import Table

from prefillroute.reports.headline import interval_text
from prefillroute.reports.numbers import MISSING
from prefillroute.reports.sweep_jobs import Job
from prefillroute.reports.sweep_view import FAMILY_COLUMNS, SweepView
from prefillroute.text.screen import Screen


def print_sweep(screen: Screen, view: SweepView) -> None:
    """Print the table of jobs, that of families, what failed and how to go on."""
    if view.finished:
        screen.print(_jobs(screen, view))
    if view.note:
        screen.print(view.note)
    if view.families:
        screen.print(_families(view))
    for job in view.failed:
        screen.print(f"failed: {job_name(job, view.varied)}: {job.error}")
    if view.missing:
        screen.print(view.missing)
    if view.num_unfinished:
        screen.print(f"to go on: {view.command}")


def job_name(job: Job, varied: Sequence[str]) -> str:
    """What tells this job from the others: its varied overrides, or its folder."""
    said = [f"{key}={job.overrides[key]}" for key in varied if key in job.overrides]
    return " ".join(said) or job.folder


def _jobs(screen: Screen, view: SweepView) -> Table:
    metric = view.metric
    table = Table(
        title=f"{len(view.finished)} finished, by {metric.label} ({metric.direction})", title_justify="left"
    )
    for key in view.varied or ["job"]:
        table.add_column(key, overflow="fold")
    for entry in view.shown:
        table.add_column(screen.lines(entry.label, entry.direction), justify="right")
    for job in view.finished:
        names = [job.overrides.get(key, MISSING) for key in view.varied] or [job.folder]
        cells = [screen.lines(name) for name in names]
        for entry in view.shown:
            ends = interval_text(job.metrics or {}, entry)
            value = entry.form(job.value(entry.key))
            cells.append(screen.lines(value, *([] if ends == MISSING else [ends])))
        table.add_row(*cells)
    return table


def _families(view: SweepView) -> Table:
    table = Table(title="families", title_justify="left")
    for index, name in enumerate(FAMILY_COLUMNS):
        table.add_column(name, justify="right" if index else "left")
    rows = view.family_rows
    for row in rows:
        table.add_row(*row, end_section=row is rows[-2])
    return table
