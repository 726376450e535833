"""The summary of a sweep on the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from prefillroute.reports.headline import interval_text
from prefillroute.reports.numbers import MISSING
from prefillroute.reports.sweep_jobs import Job
from prefillroute.reports.sweep_view import FAMILY_COLUMNS, SweepView


def print_sweep(console: Console, view: SweepView) -> None:
    """Print the table of jobs, that of families, what failed and how to go on."""
    if view.finished:
        console.print(_jobs(view))
    if view.note:
        console.print(Text(view.note), soft_wrap=True)
    if view.families:
        console.print(_families(view))
    for job in view.failed:
        console.print(Text(f"failed: {job_name(job, view.varied)}: {job.error}"), soft_wrap=True)
    if view.missing:
        console.print(Text(view.missing), soft_wrap=True)
    if view.num_unfinished:
        console.print(Text(f"to go on: {view.command}"), soft_wrap=True)


def job_name(job: Job, varied: Sequence[str]) -> str:
    """What tells this job from the others: its varied overrides, or its folder."""
    said = [f"{key}={job.overrides[key]}" for key in varied if key in job.overrides]
    return " ".join(said) or job.folder


def sweep_console() -> Console:
    """The terminal at its own width; 160 columns for a log file, where rich would cut at 80."""
    console = Console()
    return console if console.is_terminal else Console(width=160)


def _jobs(view: SweepView) -> Table:
    metric = view.metric
    table = Table(
        title=f"{len(view.finished)} finished, by {metric.label} ({metric.direction})", title_justify="left"
    )
    for key in view.varied or ["job"]:
        table.add_column(key, overflow="fold")
    for entry in view.shown:
        table.add_column(Text(f"{entry.label}\n{entry.direction}"), justify="right")
    for job in view.finished:
        names = [job.overrides.get(key, MISSING) for key in view.varied] or [job.folder]
        cells = [Text(name) for name in names]
        for entry in view.shown:
            ends = interval_text(job.metrics or {}, entry)
            value = entry.form(job.value(entry.key))
            cells.append(Text(value if ends == MISSING else f"{value}\n{ends}"))
        table.add_row(*cells)
    return table


def _families(view: SweepView) -> Table:
    table = Table(title="families", title_justify="left")
    for index, name in enumerate(FAMILY_COLUMNS):
        table.add_column(name, justify="right" if index else "left")
    rows = view.family_rows
    for row in rows:
        table.add_row(*(Text(cell) for cell in row), end_section=row is rows[-2])
    return table
