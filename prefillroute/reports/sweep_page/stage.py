"""The static figure of a pool: targets, Pareto front, oracle, the first runs' curves; the page's script adds more."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from prefillroute.metrics.cost_curve import inverse_cost, normalised_accuracy
from prefillroute.metrics.pool_points import PoolPoints
from prefillroute.reports.accuracy_cost import LABEL_ALL_UP_TO, corners, mixtures, plain_ticks, sampled
from prefillroute.reports.drawing import Drawing, new_figure, settle
from prefillroute.reports.glyphs import drawn_names
from prefillroute.reports.labels import place_labels
from prefillroute.reports.numbers import decimal, usd_per_thousand
from prefillroute.reports.pool_plane import PoolPlane
from prefillroute.reports.style import GREEN, GREY, INK, MUTED, PAPER, SHARE_COLOURS
from prefillroute.reports.sweep_page.curves import RunCurve

Scale = Literal["cost", "normalised"]
NUM_FIRST = len(SHARE_COLOURS)
"""Number of runs that are drawn without the script, and selected at first with it."""
# M = targets, P = points of a line


@dataclass(frozen=True)
class Frame:
    """Where the axes lie in the SVG's view box, and what their limits are."""

    left: float
    top: float
    width: float
    height: float
    x: tuple[float, float]
    """The logarithms (base 10) of the limits on a logarithmic axis."""
    y: tuple[float, float]
    log: bool


@dataclass(frozen=True)
class Stage:
    """A drawn pool on one scale."""

    scale: Scale
    drawing: Drawing
    frame: Frame


def stage(
    name: str, scale: Scale, targets: tuple[str, ...], plane: PoolPlane, curves: Sequence[RunCurve]
) -> Stage | None:
    """Draw a pool and the curves of its first runs; call it inside ``styled()``.

    Args:
        name: of the drawing.
        scale: raw cost in USD per 1,000 queries (logarithmic unless something is free), or the normalised inverse cost
            and accuracy of equations 7 and 8.
        targets: M names.
        plane: where the pool lies on the test queries of the first run.
        curves: of all runs, best first; the limits of the axes have room for each.

    Returns:
        None if the scale is normalised and undefined for this pool.
    """
    own = _placed(scale, plane, plane.cost_usd, plane.accuracy)
    lines = [_placed(scale, curve.plane, *curve.line.T) for curve in curves]
    if not np.isfinite(own).all():
        return None
    lines = [line for line in lines if np.isfinite(line).all()]
    log = scale == "cost" and bool(min(points[:, 0].min() for points in (own, *lines)) > 0)
    figure = new_figure(9.0, 5.8)
    axes = figure.add_subplot()
    if log:
        axes.set_xscale("log")
        plain_ticks(axes, float(own[:, 0].max() / own[:, 0].min()))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    oracle = _placed(scale, plane, *np.array(plane.oracle)[:, None])
    front = np.flatnonzero(plane.pareto)[np.argsort(plane.cost_usd[plane.pareto])]
    steps = _mark(axes, scale, plane, own, front, oracle)
    for index, line in enumerate(lines[:NUM_FIRST]):
        axes.plot(*line.T, color=SHARE_COLOURS[index], lw=1.8, gid=f"static-{index}", zorder=4)
    for line in lines:
        axes.update_datalim(line)
    axes.margins(x=0.06, y=0.06)
    axes.autoscale_view()
    if scale == "cost":
        axes.set_xlabel(f"mean cost (USD per 1,000 queries, {'log' if log else 'linear'} scale)")
        axes.set_ylabel("accuracy on test queries")
    else:
        axes.set_xlabel("normalised inverse cost (0: dearest target, 1: cheapest)")
        axes.set_ylabel("normalised accuracy (0: cheapest target, 1: oracle)")
    figure.legend(loc="outside lower center", ncols=4)
    settle(figure)
    drawn = drawn_names(targets)
    crossed = np.concatenate([sampled(*line.T) for line in (*lines[:NUM_FIRST], steps)])
    _label(axes, drawn.names, plane, own, oracle, crossed)
    tooltips = {
        f"target-{index}": f"{target}: accuracy {decimal(plane.accuracy[index])}, "
        f"{usd_per_thousand(plane.cost_usd[index])} USD per 1,000 queries"
        for index, target in enumerate(targets)
    }
    words = "raw cost" if scale == "cost" else "normalised inverse cost"
    alt = f"Accuracy against {words}: the curves of the selected runs, {len(targets)} targets and the oracle."
    drawing = Drawing(name, figure, words, alt, tooltips=tooltips, stands_for=drawn.stands_for)
    return Stage(scale, drawing, _frame(figure, axes, log))


def pool_points(plane: PoolPlane) -> PoolPoints:
    """The pool's targets and oracle as the formulas take them."""
    return PoolPoints(
        plane.cost_usd[None], plane.accuracy[None], np.array([plane.oracle[0]]), np.array([plane.oracle[1]])
    )


def _placed(scale: Scale, plane: PoolPlane, cost_usd: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
    """(P, 2) places on the axes of mean costs and accuracies (P,)."""
    if scale == "cost":
        return np.column_stack([1000 * cost_usd, accuracy])
    points = pool_points(plane)
    return np.column_stack(
        [inverse_cost(cost_usd[None], points)[0], normalised_accuracy(accuracy[None], points)[0]]
    )


def _mark(
    axes: Axes, scale: Scale, plane: PoolPlane, own: np.ndarray, front: np.ndarray, oracle: np.ndarray
) -> np.ndarray:
    """Draw targets (M, 2), their Pareto front, the static mixtures and the oracle; return the corners of the front."""
    mixed = np.column_stack(mixtures(plane.hull, float(plane.cost_usd.max())))
    axes.plot(
        *_placed(scale, plane, *mixed.T).T, color=GREY, lw=1.3, ls=(0, (4, 2)), label="best static mixture", zorder=2
    )  # fmt: skip
    axes.step(
        *own[front].T, where="post", color=GREY, lw=0.8, alpha=0.8, label="Pareto front of targets", zorder=2
    )
    for index, place in enumerate(own):
        on_front = bool(plane.pareto[index])
        axes.plot(
            *place, "o", gid=f"target-{index}", ms=6 if on_front else 4.5, mfc=INK if on_front else GREY,
            mec=PAPER, mew=0.7, zorder=5 if on_front else 3,
        )  # fmt: skip
    axes.plot([], [], "o", ms=6, mfc=INK, mec=PAPER, label="target on the Pareto front")
    if not plane.pareto.all():
        axes.plot([], [], "o", ms=4.5, mfc=GREY, mec=PAPER, label="other target")
    axes.plot(*oracle.T, "*", ms=14, color=GREEN, mec=PAPER, mew=0.7, label="oracle", zorder=5)
    return np.column_stack(corners(*own[front].T))


def _label(
    axes: Axes,
    names: tuple[str, ...],
    plane: PoolPlane,
    own: np.ndarray,
    oracle: np.ndarray,
    crossed: np.ndarray,
) -> None:
    """Name the oracle and the targets that matter, and the others where the pool is small."""
    marks = np.concatenate([own, oracle])
    boxes = place_labels(axes, oracle, ["oracle"], marks, crossed, colour=GREEN)
    first = plane.pareto.copy()
    first[plane.best] = True
    for chosen, colour, size in ((first, INK, 8.5), (~first, MUTED, 7.5)):
        if colour == INK or len(names) <= LABEL_ALL_UP_TO:
            shown = np.flatnonzero(chosen)
            boxes = place_labels(
                axes, own[shown], [names[i] for i in shown], marks, crossed, colour=colour, size=size, taken=boxes
            )  # fmt: skip


def _frame(figure: Figure, axes: Axes, log: bool) -> Frame:
    """The axes' place in points, downwards from the top left corner as in SVG."""
    width, height = 72 * figure.get_size_inches()
    box = axes.get_position()
    left, right = np.log10(axes.get_xlim()) if log else axes.get_xlim()
    low, high = axes.get_ylim()
    return Frame(
        left=float(box.x0 * width),
        top=float((1 - box.y1) * height),
        width=float(box.width * width),
        height=float(box.height * height),
        x=(float(left), float(right)),
        y=(float(low), float(high)),
        log=log,
    )
