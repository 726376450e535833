"""Learning curves: one panel per metric, one line per router, with intervals and the single subsets."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from experiments.paper.figures.axes import label_axis, no_skill
from experiments.paper.figures.dumbbell import COLOURS
from experiments.paper.measured import Number, Numbers
from experiments.paper.wording import value_text
from prefillroute.reports.catalogue import Metric
from prefillroute.reports.drawing import Drawing, name_legend, new_figure
from prefillroute.reports.glyphs import drawn_names
from prefillroute.reports.numbers import count
from prefillroute.reports.style import INK


class Measured(Protocol):
    """A router over sizes of its training part."""

    @property
    def sizes(self) -> list[int]:
        """Numbers of training queries, rising."""

    @property
    def by_seed(self) -> Mapping[int, tuple[Numbers, ...]]:
        """By size: the numbers of each subset."""

    def at(self, size: int, key: str) -> Number:
        """The mean over subsets."""


def curve_drawing(
    name: str, title: str, curves: Mapping[str, Measured], metrics: Sequence[Metric]
) -> Drawing:
    """Draw every metric over training queries; inside ``styled()``."""
    drawn = drawn_names(list(curves), longest=40)
    figure = new_figure(12.5, 4.6)
    panels = figure.subplots(1, len(metrics), squeeze=False)[0]
    for axes, metric in zip(panels, metrics, strict=True):
        _panel(axes, metric, curves)
    handles = [Line2D([], [], color=COLOURS[i % len(COLOURS)], marker="o", ms=5) for i in range(len(curves))]
    name_legend(figure, handles, drawn.names, columns=min(len(handles), 4))
    ends = "; ".join(
        f"{router}, {count(curve.sizes[0])} to {count(curve.sizes[-1])} training queries: "
        + ", ".join(
            f"{metric.words} {value_text(curve.at(curve.sizes[0], metric.key), metric)} to "
            f"{value_text(curve.at(curve.sizes[-1], metric.key), metric)}"
            for metric in metrics
        )
        for router, curve in curves.items()
    )
    caption = (
        "Lines: means over subsets of a size, with 95 % intervals over test queries; small dots: single subsets. The "
        "horizontal line is a predictor without skill."
    )
    return Drawing(name, figure, title, f"Learning curves. {ends}.", caption, stands_for=drawn.stands_for)


def _panel(axes: Axes, metric: Metric, curves: Mapping[str, Measured]) -> None:
    axes.axhline(no_skill(metric), color=INK, lw=0.8, zorder=1)
    for number, curve in enumerate(curves.values()):
        colour = COLOURS[number % len(COLOURS)]
        sizes, key = curve.sizes, metric.key
        beside = 1.03 ** (number - (len(curves) - 1) / 2)  # so that intervals stand side by side
        places = [size * beside for size in sizes]
        means = [curve.at(size, key) for size in sizes]
        axes.plot(places, [mean.value for mean in means], "-o", color=colour, lw=1.6, ms=4.5, zorder=3)
        for place, size, mean in zip(places, sizes, means, strict=True):
            if (interval := mean.interval) is not None:
                axes.plot([place, place], interval, color=colour, lw=1.2, alpha=0.7, zorder=2)
            for numbers in curve.by_seed[size]:
                axes.plot([place], [numbers[key].value], ".", color=colour, ms=4, alpha=0.5, zorder=2)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: count(value))
    axes.tick_params(axis="x", labelsize=8)
    axes.set_xlabel("training queries")
    label_axis(axes, axes.yaxis, metric)
