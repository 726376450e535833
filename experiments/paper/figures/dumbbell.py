"""The dumbbell plot: what each router reaches on each group with and without having seen it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from experiments.paper.figures.axes import label_axis, no_skill
from experiments.paper.measured import Number
from prefillroute.reports.catalogue import Metric
from prefillroute.reports.drawing import Drawing, name_legend, new_figure
from prefillroute.reports.glyphs import drawn_names
from prefillroute.reports.numbers import joined
from prefillroute.reports.style import BLUE, GREEN, GREY, INK, ORANGE, PAPER, PURPLE, VERMILLION

COLOURS = (BLUE, ORANGE, GREEN, PURPLE, VERMILLION)
MEAN = "mean over groups"
SPREAD = 0.5
"""Share of a row's height over which its routers are spread."""

Ends = Mapping[str, tuple[Number, Number]]
"""By router: with and without having seen the group."""


@dataclass(frozen=True)
class Dumbbell:
    """One panel."""

    metric: Metric
    rows: Mapping[str, Ends]
    """By group; the first is the mean over the others."""


def dumbbell_drawing(name: str, title: str, panels: Sequence[Dumbbell]) -> Drawing:
    """Draw the panels side by side, with groups as rows; inside ``styled()``."""
    groups, routers = list(panels[0].rows), list(panels[0].rows[MEAN])
    drawn = drawn_names([*groups, *routers])
    labels = drawn.names[: len(groups)]
    height = 1.5 + (0.24 + 0.13 * len(routers)) * len(groups)
    figure = new_figure(12.0, height)
    every = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, panel in zip(every, panels, strict=True):
        _panel(axes, panel, routers)
    every[0].set_yticks(range(len(labels)), labels)
    every[0].set_ylim(len(labels) - 0.5, -0.5)
    handles = [Line2D([], [], color=COLOURS[i % len(COLOURS)], lw=2.5) for i in range(len(routers))]
    handles += [Line2D([], [], ls="", marker="o", mfc=mfc, mec=INK, mew=1.4, ms=6.5) for mfc in (PAPER, INK)]
    words = [*drawn.names[len(groups) :], "group seen in training", "never seen"]
    name_legend(figure, handles, words, columns=len(words))
    means = "; ".join(
        f"{panel.metric.words}: "
        + joined(
            [
                f"{router} {panel.metric.form(seen.value)} with and {panel.metric.form(unseen.value)} without"
                for router, (seen, unseen) in panel.rows[MEAN].items()
            ]
        )
        for panel in panels
    )
    alt = f"Routers on {len(groups) - 1} groups of queries, with and without having seen the group. Means: {means}."
    caption = (
        "Open: trained on the group as well; filled: trained without it. Both on the same queries, on which neither "
        "was trained. Lines beside the means are 95 % intervals over queries resampled within groups. The vertical "
        "line is a predictor without skill."
    )
    return Drawing(name, figure, title, alt, caption, stands_for=drawn.stands_for)


def _panel(axes: Axes, panel: Dumbbell, routers: Sequence[str]) -> None:
    axes.axhline(0.5, color=GREY, lw=0.8)
    axes.axvline(no_skill(panel.metric), color=INK, lw=0.8, zorder=1)
    for place, ends in enumerate(panel.rows.values()):
        for number, router in enumerate(routers):
            colour = COLOURS[number % len(COLOURS)]
            y = place + SPREAD * ((number + 0.5) / len(routers) - 0.5)
            seen, unseen = ends[router]
            axes.plot([seen.value, unseen.value], [y, y], color=colour, lw=2.0, alpha=0.55, zorder=2)
            for each, filled, beside in ((seen, False, -0.07), (unseen, True, 0.07)):
                if place == 0 and (interval := each.interval) is not None:
                    axes.plot(interval, [y + beside, y + beside], color=colour, lw=0.9, zorder=2)
                axes.plot(
                    [each.value], [y], "o", mfc=colour if filled else PAPER, mec=colour, mew=1.4, ms=5.5, zorder=3
                )  # fmt: skip
    axes.locator_params(axis="x", nbins=6)
    label_axis(axes, axes.xaxis, panel.metric)
    axes.grid(axis="y", visible=False)
