"""What the summary of a sweep shows, and how it is printed in the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from prefillroute.reports.catalogue import Metric
from prefillroute.reports.families import Family
from prefillroute.reports.headline import interval_text
from prefillroute.reports.numbers import MISSING, count, seconds
from prefillroute.reports.sweep_jobs import Job
from prefillroute.text.screen import Screen

FAMILY_COLUMNS = ("family", "configurations", "predictors", "trained fits", "training", "evaluation")


@dataclass(frozen=True)
class SweepView:
    """The jobs of a sweep, ordered and counted."""

    finished: Sequence[Job]
    """Finished jobs, best first."""
    failed: Sequence[Job]
    num_missing: int
    """Number of jobs that never started."""
    command: str
    """The command that resumes the sweep."""
    varied: Sequence[str]
    """Overridden keys that differ between jobs."""
    shown: Sequence[Metric]
    metric: Metric
    """The metric that orders the jobs."""
    note: str
    """A further remark about the numbers; may be empty."""
    families: Sequence[Family]
    """One row per family, and the total in the last row; empty if the sweep does not vary the predictor."""

    @property
    def num_unfinished(self) -> int:
        """Number of jobs that failed or never started."""
        return len(self.failed) + self.num_missing

    @property
    def missing(self) -> str:
        """A sentence on how many jobs never started; empty if all did."""
        if not self.num_missing:
            return ""
        return f"{count(self.num_missing)} job{'s' * (self.num_missing > 1)} never began"

    @property
    def family_rows(self) -> list[tuple[str, ...]]:
        """The printed cells of the columns :data:`FAMILY_COLUMNS`, row by row."""
        return [
            (
                family.name,
                count(family.num_jobs),
                count(family.num_predictors),
                count(family.num_fits),
                seconds(family.training_s),
                seconds(family.evaluation_s),
            )
            for family in self.families
        ]


def print_sweep(screen: Screen, view: SweepView) -> None:
    """Print the table of jobs, the table of families, what failed and how to resume."""
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
    """What distinguishes this job from the others: its varied overrides, or its folder."""
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
