"""Routers as rows, metrics as panels, each number as a dot with its interval."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from experiments.paper.figures.axes import label_axis
from experiments.paper.figures.dumbbell import COLOURS
from experiments.paper.measured import Numbers
from experiments.paper.wording import value_text
from prefillroute.reports.catalogue import Metric
from prefillroute.reports.drawing import Drawing, new_figure
from prefillroute.reports.glyphs import drawn_names
from prefillroute.reports.style import GREY

Blocks = Mapping[str, Mapping[str, Numbers]]
"""By title of a block of rows: its routers' numbers."""


def intervals_drawing(name: str, title: str, blocks: Blocks, metrics: Sequence[Metric]) -> Drawing:
    """Draw the blocks below each other; inside ``styled()``."""
    labels = [label for head, routers in blocks.items() for label in (head, *routers)]
    drawn = drawn_names(list(dict.fromkeys(labels)), longest=40)
    names = dict(zip(dict.fromkeys(labels), drawn.names, strict=True))
    figure = new_figure(13.0, 1.0 + 0.3 * len(labels))
    panels = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    for axes, metric in zip(panels, metrics, strict=True):
        _panel(axes, metric, blocks)
    panels[0].set_yticks(range(len(labels)), [names[label] for label in labels])
    panels[0].set_ylim(len(labels) - 0.5, -0.6)
    heads = [place for place, label in enumerate(labels) if label in blocks]
    for place in heads:
        panels[0].get_yticklabels()[place].set_fontweight("bold")
    said = "; ".join(
        f"{head}, {router}: "
        + ", ".join(f"{metric.words} {value_text(numbers[metric.key], metric)}" for metric in metrics)
        for head, routers in blocks.items()
        for router, numbers in routers.items()
    )
    caption = "Dots with 95 % intervals over test queries; the arrow says which direction is better."
    return Drawing(name, figure, title, f"{title}. {said}.", caption, stands_for=drawn.stands_for)


def _panel(axes: Axes, metric: Metric, blocks: Blocks) -> None:
    place = 0
    for routers in blocks.values():
        if place:
            axes.axhline(place - 0.5, color=GREY, lw=0.8)
        for number, numbers in enumerate(routers.values()):
            place += 1
            colour, found = COLOURS[number % len(COLOURS)], numbers[metric.key]
            if (interval := found.interval) is not None:
                axes.plot(interval, [place, place], color=colour, lw=1.6)
            axes.plot([found.value], [place], "o", color=colour, ms=5.5, zorder=3)
        place += 1
    axes.locator_params(axis="x", nbins=4)
    axes.tick_params(axis="x", labelsize=8)
    axes.grid(axis="y", visible=False)
    label_axis(axes, axes.xaxis, metric)
