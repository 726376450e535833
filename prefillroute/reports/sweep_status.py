"""The live table of a sweep: how far its jobs are, and what came out of those that have finished."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten

from rich.table import Table

from prefillroute.errors import UserError
from prefillroute.jobs.states import JobState, State
from prefillroute.reports.catalogue import Metric, global_metrics
from prefillroute.reports.headline import number
from prefillroute.reports.numbers import MISSING
from prefillroute.reports.run_folder import read_metrics
from prefillroute.text.screen import Screen

LONGEST_REASON = 48
"""Characters, so that each of hundreds of jobs has one line; `sweep why` prints all of a reason."""
HEADLINE = ("mean_auc", "hull_gain")
STYLES: dict[State, str] = {
    "waiting": "dim", "running": "bold", "finished": "green", "failed": "bold red", "lost": "bold red",
    "cancelled": "yellow", "missing": "yellow",
}  # fmt: skip


def status_table(sweep_dir: Path, states: Sequence[JobState], screen: Screen) -> Table:
    """One row per job.

    Args:
        sweep_dir: the sweep's folder.
        states: its jobs.
        screen: where the table will be printed.
    """
    varied = varied_overrides(states)
    metrics = [metric for metric in global_metrics() if metric.key in HEADLINE]
    rows = [(state, _values(sweep_dir, state, metrics)) for state in states]
    measured = any(values for _, values in rows)
    table = Table()
    for name in ("job", "state", *varied):
        table.add_column(name, no_wrap=name in ("job", "state"))
    table.add_column("starts", justify="right", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    for metric in metrics if measured else ():
        table.add_column(metric.label, justify="right", no_wrap=True)
    table.add_column("how far, or why")
    for state, values in rows:
        status = state.status
        said = state.error or (status.progress if status is not None and not values else "")
        table.add_row(
            state.folder,
            screen.styled((state.state, STYLES[state.state])),
            *(state.overrides.get(key, "") for key in varied),
            str(status.starts) if status is not None and status.starts else "",
            duration(status.seconds) if status is not None and status.starts else "",
            *((values or [MISSING] * len(metrics)) if measured else ()),
            shorten(said, LONGEST_REASON, placeholder=" …"),
        )
    return table


def summary_line(states: Sequence[JobState], never_began: int) -> str:
    """How many jobs are in which state, in one line."""
    counts = Counter(state.state for state in states)
    counts["missing"] += never_began
    said = [f"{counts[state]} {state}" for state in STYLES if counts[state]]
    jobs = sum(counts.values())
    return f"{jobs} job{'s' * (jobs != 1)}: {', '.join(said)}"


def varied_overrides(states: Sequence[JobState]) -> list[str]:
    """The overridden keys whose values differ between jobs."""
    keys = dict.fromkeys(key for state in states for key in state.overrides)
    return [key for key in keys if len({state.overrides.get(key) for state in states}) > 1]


def duration(seconds: float) -> str:
    """Hours, minutes and seconds.

    Example:
        >>> duration(75), duration(3 * 3600 + 65)
        ('1:15', '3:01:05')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _values(sweep_dir: Path, state: JobState, metrics: Sequence[Metric]) -> list[str]:
    """The headline metrics of a finished training; empty for every other job."""
    if state.state != "finished":
        return []
    try:
        section = read_metrics(sweep_dir / state.folder)["test"]
    except UserError:
        return []
    values = [number(section, metric.key) for metric in metrics]
    return [
        MISSING if value is None else metric.form(value)
        for metric, value in zip(metrics, values, strict=True)
    ]
