"""The forest plot of a comparison: every paired difference with its interval, one panel per metric."""

import math
from collections.abc import Sequence

from experiments.comparing.pool import PoolComparison
from prefillroute.metrics.ratio import NOTHING
from prefillroute.reports.catalogue import Metric
from prefillroute.reports.drawing import Drawing, new_figure
from prefillroute.reports.glyphs import drawn_names
from prefillroute.reports.style import BLUE, GREY, INK, VERMILLION

PANELS_A_ROW = 5
COLOURS = {1: BLUE, -1: VERMILLION, 0: GREY}
"""By whom a difference favours: reference, other, neither."""


def forest_drawing(
    found: PoolComparison, shown: Sequence[Metric], name: str | None = None, title: str | None = None
) -> Drawing:
    """Draw reference minus other; inside ``styled()``. There is at least one other router.

    Args:
        found: the comparison.
        shown: metrics, one panel each.
        name: stem of the files; None takes that of the pool.
        title: heading; None takes the pool.
    """
    others = list(found.differences)
    num_rows = math.ceil(len(shown) / PANELS_A_ROW)
    figure = new_figure(13.0, num_rows * (1.0 + 0.26 * len(others)))
    panels = figure.subplots(num_rows, min(PANELS_A_ROW, len(shown)), sharey=True, squeeze=False).ravel()
    won = []
    for axes, metric in zip(panels, shown, strict=False):
        favours = {other: found.differences[other][metric.key].favours(metric) for other in others}
        better, worse = (sum(side == sign for side in favours.values()) for sign in (1, -1))
        won.append(f"{metric.label} {better} better, {worse} worse")
        for place, other in enumerate(others):
            difference = found.differences[other][metric.key]
            colour = COLOURS[favours[other]]
            if difference.low is not None and difference.high is not None:
                axes.plot([difference.low, difference.high], [place, place], color=colour, lw=1.6)
            if difference.value is not None:
                axes.plot([difference.value], [place], "o", color=colour, ms=5, zorder=3)
        axes.axvline(0, color=INK, lw=0.8, zorder=1)
        drawn_ends = [end for other in others for end in found.differences[other][metric.key].ends]
        if max(map(abs, drawn_ends), default=0.0) < NOTHING:
            axes.set_xlim(-1, 1)  # no difference but rounding
        axes.set_title(f"{metric.label} {metric.direction.partition(' ')[0]}", fontsize=9.5)
        axes.locator_params(axis="x", nbins=4)
        axes.tick_params(labelsize=8)
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    drawn = drawn_names(others)
    panels[0].set_yticks(range(len(others)), drawn.names)
    panels[0].set_ylim(len(others) - 0.4, -0.6)
    alt = (
        f"{found.reference} minus each of {len(others)} other routers on {found.pool}, paired, with 95 % intervals. "
        f"Intervals that exclude 0, for {found.reference}: {'; '.join(won)}."
    )
    caption = (
        f"{found.reference} minus the other, 95 % interval over the same resamples of the test queries. Blue: "
        f"it excludes 0 in favour of {found.reference}; vermillion: of the other; grey: it contains 0."
    )
    stem, heading = name or f"forest-{found.pool}", title or found.pool
    return Drawing(stem, figure, heading, alt, caption, stands_for=drawn.stands_for)
