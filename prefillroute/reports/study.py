"""The report of a study: which trials no other one beats in every objective, and which choices mattered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter
from rich.table import Table

from prefillroute.errors import UserError
from prefillroute.files import write_text
from prefillroute.reports.catalogue import Metric
from prefillroute.reports.drawing import Drawing, new_figure
from prefillroute.reports.importance import main_effects
from prefillroute.reports.numbers import MISSING, count, percent
from prefillroute.reports.style import BLUE, GREY, MUTED, styled
from prefillroute.reports.template import render_template
from prefillroute.text.screen import Screen
from prefillroute.text.spreadsheet import csv_text
from prefillroute.text.visible import visible

# T = trials with values, K = objectives

PAGE, TABLE = "study.html", "study.csv"


@dataclass(frozen=True)
class Trial:
    """One trial of a study."""

    number: int
    choices: Mapping[str, str]
    """What was chosen for it: key -> value."""
    values: tuple[float, ...] | None
    """Its objectives; None where it failed, or has not ended."""
    folder: str = ""
    """Its run folder, relative to the sweep's; empty if there is none."""
    state: str = "finished"
    """Or why there are no values."""


@dataclass(frozen=True)
class StudyView:
    """A study as the page shows it."""

    objectives: Sequence[Metric]
    front: Sequence[Trial]
    """Trials that no other one beats, best in the first objective first; of equal ones the earliest."""
    others: Sequence[Trial]
    """The other trials that have values, in their order."""
    failed: Sequence[Trial]
    importance: Mapping[str, Sequence[float]]
    """Key -> its share of what each objective varies by; empty if too few trials have values."""

    @property
    def keys(self) -> list[str]:
        """The keys that were chosen."""
        trials = [*self.front, *self.others, *self.failed]
        return list(dict.fromkeys(key for trial in trials for key in trial.choices))

    def cells(self, trial: Trial) -> list[str]:
        """The objectives of a trial as text."""
        values = trial.values or [None] * len(self.objectives)
        return [metric.form(value) for metric, value in zip(self.objectives, values, strict=True)]

    def shares(self, key: str) -> list[str]:
        """The importance of a key as text."""
        return [percent(share, 0) for share in self.importance[key]]


def view_study(trials: Sequence[Trial], objectives: Sequence[Metric]) -> StudyView:
    """Sort the trials of a study into those on the front, the others and the failed ones."""
    ended = [trial for trial in trials if trial.values is not None]
    sign = np.array([1.0 if metric.better == "higher" else -1.0 for metric in objectives])
    values = np.array([trial.values for trial in ended]).reshape(len(ended), len(objectives))
    goodness = values * sign
    on_front = pareto_front(goodness)
    front = [index for index in np.flatnonzero(on_front).tolist() if not _repeats(goodness, on_front, index)]
    return StudyView(
        objectives,
        front=[ended[index] for index in sorted(front, key=lambda index: -goodness[index, 0])],
        others=[trial for index, trial in enumerate(ended) if index not in front],
        failed=[trial for trial in trials if trial.values is None],
        importance=main_effects([trial.choices for trial in ended], values),
    )


def pareto_front(goodness: np.ndarray) -> np.ndarray:
    """Which of T points (T, K) no other point beats: is at least as great in all K values and greater in one.

    Example:
        >>> pareto_front(np.array([[1.0, 5.0], [2.0, 3.0], [1.0, 3.0]]))
        array([ True,  True, False])
    """
    no_worse = (goodness[:, None] >= goodness[None]).all(axis=2)  # (T, T): row against column
    better = (goodness[:, None] > goodness[None]).any(axis=2)
    beaten: np.ndarray = np.any(no_worse & better, axis=0)
    return ~beaten


def _repeats(goodness: np.ndarray, on_front: np.ndarray, index: int) -> bool:
    """Whether an earlier point of the front has the same values."""
    return bool((on_front[:index] & (goodness[:index] == goodness[index]).all(axis=1)).any())


def write_study(sweep_dir: Path, view: StudyView, screen: Screen | None = None) -> Path:
    """Print the front, and write study.html, study.csv and the figure into a sweep's folder; return the page's path.

    Raises:
        UserError: the folder is not writable.
    """
    front = [trial.number for trial in view.front]
    rows = []
    for trial in sorted([*view.front, *view.others, *view.failed], key=lambda trial: trial.number):
        values = trial.values or [None] * len(view.objectives)
        row: dict[str, object] = {
            "trial": trial.number,
            "folder": trial.folder,
            "state": visible(trial.state),
        }
        row |= {key: visible(value) for key, value in trial.choices.items()}
        row |= {metric.key: value for metric, value in zip(view.objectives, values, strict=True)}
        rows.append({**row, "front": trial.number in front})
    try:
        with styled():
            drawing = study_drawing(view)
            drawing.save(sweep_dir / "figures")
            svg = drawing.inline_svg()
        page = render_template(
            "study.html.j2",
            title=sweep_dir.resolve().name,
            view=view,
            drawing=drawing,
            svg=Markup(svg),
            pages={
                trial.number for trial in view.front if (sweep_dir / trial.folder / "report.html").exists()
            },
        )
        write_text(sweep_dir / TABLE, csv_text(pd.DataFrame(rows)))
        write_text(sweep_dir / PAGE, page)
    except OSError as error:
        raise UserError(f"{sweep_dir}: expected a writable folder, found {error.strerror}") from error
    _print(screen or Screen(columns=160), view)
    return sweep_dir / PAGE


def _print(screen: Screen, view: StudyView) -> None:
    if view.front:
        number = len(view.front) + len(view.others)
        table = Table(title=f"Pareto front of {number} trials: {len(view.front)}", title_justify="left")
        table.add_column("trial", justify="right")
        for metric in view.objectives:
            table.add_column(screen.lines(metric.label, metric.direction), justify="right")
        for key in view.keys:
            table.add_column(screen.lines(key), overflow="fold")
        for trial in view.front:
            chosen = [trial.choices.get(key, MISSING) for key in view.keys]
            table.add_row(*map(screen.lines, [str(trial.number), *view.cells(trial), *chosen]))
        screen.print(table)
    for key in view.importance:
        shares = (
            f"{share} of {metric.words}"
            for share, metric in zip(view.shares(key), view.objectives, strict=True)
        )
        screen.print(f"importance of {key}: {', '.join(shares)}")
    if view.failed:
        screen.print(f"{count(len(view.failed))} trial{'s' * (len(view.failed) > 1)} without values")


def study_drawing(view: StudyView) -> Drawing:
    """Trials in the plane of the first two objectives, the front as a line; of one objective, over their numbers."""
    figure = new_figure(8.0, 5.0)
    axes = figure.add_subplot()
    tooltips = {}
    across = view.objectives[1] if len(view.objectives) > 1 else None
    everyone = [*view.others, *view.front]
    for trial in everyone:
        assert trial.values is not None
        on_front = trial in view.front
        (mark,) = axes.plot(
            trial.number if across is None else trial.values[1],
            trial.values[0],
            "o",
            ms=8 if on_front else 5,
            color=BLUE if on_front else GREY,
            alpha=1.0 if on_front else 0.7,
            zorder=3 if on_front else 2,
        )
        mark.set_gid(f"trial-{trial.number}")
        chosen = ", ".join(f"{key}={value}" for key, value in trial.choices.items())
        tooltips[f"trial-{trial.number}"] = f"trial {trial.number}: {chosen}"
    if across is not None and view.front:
        ends = sorted((trial.values or ())[1::-1] for trial in view.front)
        axes.step(
            *zip(*ends, strict=True), where="post" if across.better == "lower" else "pre", color=BLUE, lw=1.2
        )
        _scale(axes, [trial.values[1] for trial in everyone if trial.values], across)
        axes.set_xlabel(f"{across.label}  {across.direction}")
    else:
        axes.set_xlabel("trial")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: view.objectives[0].form(value)))
    axes.set_ylabel(f"{view.objectives[0].label}  {view.objectives[0].direction}")
    for trial in view.front:
        assert trial.values is not None
        place = (trial.number if across is None else trial.values[1], trial.values[0])
        axes.annotate(str(trial.number), place, (6, 5), textcoords="offset points", color=MUTED, fontsize=9)
    best = f"; the best is trial {view.front[0].number}, {view.cells(view.front[0])[0]}" if view.front else ""
    return Drawing(
        "study",
        figure,
        "Trials of the study",
        alt=f"{count(len(everyone))} trials, {count(len(view.front))} of them on the Pareto front{best}",
        caption="Numbered: trials that no other one beats in every objective.",
        tooltips=tooltips,
    )


def _scale(axes: Axes, values: Sequence[float], metric: Metric) -> None:
    """A logarithmic axis if the values differ by more than a factor of ten."""
    if min(values) > 0 and max(values) > 10 * min(values):
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: metric.form(value)))
