"""The oracle's headroom in three pieces: what routers reach, what a perfect predictor would add, and noise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prefillroute.reports.drawing import Drawing, name_legend, new_figure
from prefillroute.reports.glyphs import drawn_names
from prefillroute.reports.numbers import points
from prefillroute.reports.style import BLUE, GREY, INK, SKY, VERMILLION


@dataclass(frozen=True)
class Bar:
    """One measure of one router; gains are shares of queries."""

    name: str
    router: float
    perfect: float
    low: float
    high: float
    """95 % interval of `perfect`."""
    oracle: float


def headroom_drawing(pool: str, panels: Mapping[str, Sequence[Bar]], refused: bool) -> Drawing:
    """Draw a panel of bars for each measure; inside ``styled()``."""
    most = max(len(bars) for bars in panels.values())
    figure = new_figure(9.0, 1.1 + len(panels) * (0.75 + 0.42 * most))
    axes = figure.subplots(len(panels), 1, squeeze=False).ravel()
    said, handles = [], []
    for place, (axis, (measure, bars)) in enumerate(zip(axes, panels.items(), strict=True)):
        names = drawn_names([bar.name for bar in bars])
        for row, bar in enumerate(bars):
            reached = 100 * max(bar.router, 0.0)
            perfect, oracle = 100 * bar.perfect, 100 * bar.oracle
            pieces = [
                axis.barh(row, oracle - perfect, left=perfect, color=GREY, alpha=0.35, height=0.62),
                axis.barh(row, perfect, color=SKY, height=0.62),
                axis.barh(row, reached, color=BLUE, height=0.3),
            ]
            low, high = 100 * bar.low, 100 * bar.high
            axis.plot([low, high], [row, row], color=INK, lw=1.3)
            for end in (low, high):
                axis.plot([end, end], [row - 0.13, row + 0.13], color=INK, lw=1.3)
            if bar.router < 0:
                pieces[2] = axis.barh(row, 100 * bar.router, color=VERMILLION, height=0.3)
            handles = pieces
            said.append(
                f"{bar.name}, {measure}: router {points(bar.router)}, perfect probabilities {points(bar.perfect)} "
                f"[{points(bar.low)}, {points(bar.high)}], oracle {points(bar.oracle)} percentage points"
            )
        axis.set_yticks(range(len(bars)), names.names)
        axis.set_ylim(len(bars) - 0.5, -0.5)
        axis.grid(axis="y", visible=False)
        axis.set_title(measure)
        if place == len(panels) - 1:
            axis.set_xlabel("percentage points")
    name_legend(
        figure, handles[::-1], ["router", "perfect probabilities [95 %]", "oracle: the rest is luck"], 3
    )
    caption = (
        "From 0 to the oracle's gain. Where the light bar ends, a router that knew every probability would stand. A "
        "router below 0 is vermillion."
    )
    if refused:
        caption += " The estimate is refused here: a real ceiling may be higher."
    return Drawing(
        "ceiling", figure, f"The oracle's headroom on {pool}", "; ".join(said) + ".", caption,
        stands_for=drawn_names([bar.name for bars in panels.values() for bar in bars]).stands_for,
    )  # fmt: skip
