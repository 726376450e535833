"""The accuracy-cost curve: the router's frontier beside targets, oracle, static mixtures and Pareto front."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from prefillroute.reports.drawing import Drawing, new_figure, settle
from prefillroute.reports.glyphs import drawn_names
from prefillroute.reports.labels import place_labels
from prefillroute.reports.numbers import count, decimal, joined, percent, usd_per_thousand
from prefillroute.reports.pool_plane import PoolPlane
from prefillroute.reports.style import BLUE, GREEN, GREY, INK, MUTED, PAPER, VERMILLION

LABEL_ALL_UP_TO = 12
"""Pools up to this size have every target labelled; larger pools only the Pareto front and the best single target."""
_RESOLUTION = 1500
"""Curve points closer than 1/1500 of the axes' range are drawn once, because exact frontiers have 10^4 segments."""


def accuracy_cost_drawing(
    targets: tuple[str, ...], plane: PoolPlane, curve: pd.DataFrame, chosen: tuple[str, float, float] | None
) -> Drawing:
    """Draw accuracy against mean cost (USD per 1,000 queries; the axis is logarithmic unless something is free).

    ``curve`` has the columns of curve.parquet; ``chosen`` is (words, cost in USD per query, accuracy) of the
    operating point that was chosen without the test part, or None.
    """
    figure = new_figure(9.0, 5.6)
    axes = figure.add_subplot()
    scale = "log" if min(plane.cost_usd.min(), curve["cost_usd"].min()) > 0 else "linear"
    axes.set_xscale(scale)
    if scale == "log":
        plain_ticks(axes, float(np.nanmax(plane.cost_usd) / np.nanmin(plane.cost_usd)))
    cost, accuracy = thinned(1000 * curve["cost_usd"].to_numpy(float), curve["accuracy"].to_numpy(float))
    target_cost = 1000 * plane.cost_usd
    front = plane.pareto
    tooltips = {}

    hull_cost, hull_accuracy = mixtures(plane.hull, float(np.nanmax(plane.cost_usd)))
    axes.plot(
        1000 * hull_cost,
        hull_accuracy,
        color=GREY,
        lw=1.3,
        ls=(0, (4, 2)),
        label="best static mixture",
        zorder=2,
    )
    order = np.flatnonzero(front)[np.argsort(target_cost[front])]
    axes.step(
        target_cost[order],
        plane.accuracy[order],
        where="post",
        color=GREY,
        lw=0.8,
        alpha=0.8,
        label="Pareto front of targets",
        zorder=2,
    )
    axes.plot(cost, accuracy, color=BLUE, lw=2.2, label="router", zorder=4)
    for index, name in enumerate(targets):
        gid = f"target-{index}"
        tooltips[gid] = (
            f"{name}: accuracy {decimal(plane.accuracy[index])}, "
            f"{usd_per_thousand(plane.cost_usd[index])} USD per 1,000 queries"
        )
        axes.plot(
            target_cost[index],
            plane.accuracy[index],
            "o",
            gid=gid,
            ms=6 if front[index] else 4.5,
            mfc=INK if front[index] else GREY,
            mec=PAPER,
            mew=0.7,
            zorder=5 if front[index] else 3,
        )
    axes.plot([], [], "o", ms=6, mfc=INK, mec=PAPER, label="target on the Pareto front")
    if not front.all():
        axes.plot([], [], "o", ms=4.5, mfc=GREY, mec=PAPER, label="other target")
    tooltips["oracle"] = (
        f"oracle: accuracy {decimal(plane.oracle[1])}, "
        f"{usd_per_thousand(plane.oracle[0])} USD per 1,000 queries"
    )
    axes.plot(
        1000 * plane.oracle[0],
        plane.oracle[1],
        "*",
        ms=14,
        color=GREEN,
        mec=PAPER,
        mew=0.7,
        gid="oracle",
        label="oracle",
        zorder=5,
    )
    if chosen is not None:
        tooltips["chosen"] = (
            f"{chosen[0]}: accuracy {decimal(chosen[2])}, {usd_per_thousand(chosen[1])} USD per 1,000 queries"
        )
        axes.plot(
            1000 * chosen[1],
            chosen[2],
            "D",
            ms=8,
            color=VERMILLION,
            mec=PAPER,
            mew=1,
            gid="chosen",
            label=chosen[0],
            zorder=7,
        )
    axes.set_xlabel(f"mean cost (USD per 1,000 queries, {scale} scale)")
    axes.set_ylabel("accuracy on test queries")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.margins(x=0.07, y=0.07)
    figure.legend(loc="outside lower center", ncols=4)
    settle(figure)
    lines = [sampled(cost, accuracy), sampled(1000 * hull_cost, hull_accuracy)]
    lines.append(sampled(*corners(target_cost[order], plane.accuracy[order])))
    drawn = drawn_names(targets)
    _label(axes, drawn.names, plane, np.concatenate(lines), chosen)
    best = plane.best
    assert best is not None, "drawn only where there are complete queries"
    alt = (
        f"Accuracy against mean cost on a {scale} axis, {count(plane.num_queries)} test queries. "
        f"The router's curve runs from {usd_per_thousand(curve['cost_usd'].min())} to "
        f"{usd_per_thousand(curve['cost_usd'].max())} USD per 1,000 queries; "
        f"its greatest accuracy is {percent(curve['accuracy'].max())}. "
        f"Best single target: {targets[best]} with {percent(plane.accuracy[best])}; "
        f"oracle {percent(plane.oracle[1])}. "
        f"Pareto-optimal targets: {joined([targets[i] for i in order], 8)}."
    )
    caption = "Costs are estimates made before the call. A point of the router's curve is one value of λ; "
    caption += (
        "the dashed line is what tossing a coin between two targets reaches: only what lies above it is "
    )
    caption += "gained by reading queries."
    return Drawing("accuracy_cost", figure, "Accuracy against cost", alt, caption, tooltips, drawn.stands_for)


def _label(
    axes: Axes,
    names: tuple[str, ...],
    plane: PoolPlane,
    lines: np.ndarray,
    chosen: tuple[str, float, float] | None,
) -> None:
    """Name the targets that matter, then the others where the pool is small and there is room."""
    positions = np.column_stack([1000 * plane.cost_usd, plane.accuracy])
    oracle = np.array([[1000 * plane.oracle[0], plane.oracle[1]]])
    marks = np.concatenate([positions, oracle, *([[[1000 * chosen[1], chosen[2]]]] if chosen else [])])
    first = plane.pareto.copy()
    first[plane.best] = True
    boxes = place_labels(axes, oracle, ["oracle"], marks, lines, colour=GREEN)
    shown = np.flatnonzero(first)
    boxes = place_labels(
        axes, positions[shown], [names[i] for i in shown], marks, lines, colour=INK, taken=boxes
    )
    rest = np.flatnonzero(~first)
    if len(names) <= LABEL_ALL_UP_TO:
        texts = [names[i] for i in rest]
        place_labels(axes, positions[rest], texts, marks, lines, colour=MUTED, size=7.5, taken=boxes)


def mixtures(hull: np.ndarray, dearest: float, num: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """The hull at log-spaced costs (straight lines bend on a log axis), flat beyond its last corner."""
    if not len(hull):
        return np.empty(0), np.empty(0)
    low, high = float(hull[0, 0]), max(dearest, float(hull[-1, 0]))
    if low <= 0 or high <= low:
        return hull[:, 0], hull[:, 1]
    cost = np.union1d(np.geomspace(low, high, num), hull[:, 0])
    return cost, np.interp(cost, hull[:, 0], hull[:, 1])


def corners(cost: np.ndarray, accuracy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The corners of the staircase through the points, as ``step(where="post")`` draws it."""
    return np.repeat(cost, 2)[1:], np.repeat(accuracy, 2)[:-1]


def sampled(cost: np.ndarray, accuracy: np.ndarray, num: int = 400) -> np.ndarray:
    """(num, 2) points along a line, so dense that no label slips between two of them."""
    at = np.linspace(0, len(cost) - 1, num)
    place = np.arange(len(cost))
    if cost.min() > 0:
        return np.column_stack([np.exp(np.interp(at, place, np.log(cost))), np.interp(at, place, accuracy)])
    return np.column_stack([np.interp(at, place, cost), np.interp(at, place, accuracy)])


def plain_ticks(axes: Axes, ratio: float) -> None:
    """Write costs as plain numbers, with more ticks per decade where ``ratio`` (dearest cost over cheapest) is small.

    A pool whose prices are close to each other spans less than a decade.
    """
    steps = (1.0,) if ratio > 1000 else (1.0, 2.0, 5.0) if ratio > 8 else tuple(np.arange(1.0, 10.0))
    axes.xaxis.set_major_locator(LogLocator(subs=steps))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def thinned(cost: np.ndarray, accuracy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Drop curve points that would fall on the pixel of their neighbour; the two ends stay."""
    if len(cost) < _RESOLUTION or cost.min() <= 0:
        return cost, accuracy
    x, y = np.log(cost), accuracy
    cells = [np.round((v - v.min()) / max(np.ptp(v), 1e-12) * _RESOLUTION) for v in (x, y)]
    moved = np.ones(len(cost), dtype=bool)
    moved[1:-1] = (np.diff(cells[0])[:-1] != 0) | (np.diff(cells[1])[:-1] != 0)
    return cost[moved], accuracy[moved]
