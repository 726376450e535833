"""Accuracy-cost curves of many routers in one figure, in raw cost and in the paper's normalised inverse cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from prefillroute.metrics.bootstrap import resample_weights
from prefillroute.metrics.cost_curve import inverse_cost, normalised_accuracy
from prefillroute.metrics.pool_points import PoolPoints
from prefillroute.reports.accuracy_cost import corners, plain_ticks, sampled, thinned
from prefillroute.reports.drawing import Drawing, name_legend, new_figure, settle
from prefillroute.reports.glyphs import drawn_names
from prefillroute.reports.labels import place_labels
from prefillroute.reports.numbers import count, joined, percent
from prefillroute.reports.style import BLUE, GREEN, GREY, INK, PAPER, SHARE_COLOURS
from prefillroute.routing.contest import Contest
from prefillroute.routing.evaluation import chunk_size
from prefillroute.routing.statistics.view import RouterView

# B = resamples, S = operating points, G = places at which the band is drawn, M = targets

NUM_PLACES = 200
"""Places, evenly spaced along the horizontal axis, at which the band is computed."""
DASHES = ("-", (0, (4, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1, 1.5)))
"""Line styles, one after the other where routers are more than colours."""


@dataclass(frozen=True)
class Curve:
    """The operating points of a router on the complete test queries, lambda rising."""

    cost_usd: np.ndarray
    """(S,) mean USD per query, falling."""
    accuracy: np.ndarray
    """(S,)"""
    x: np.ndarray
    """(S,) eq. 7, rising; NaN where a target is free."""
    y: np.ndarray
    """(S,) eq. 8"""

    @classmethod
    def of(cls, view: RouterView) -> "Curve":
        """The curve of a router on its test rows, all of equal weight (B = 1)."""
        cost, accuracy = view.swept
        x, y = inverse_cost(cost, view.points), normalised_accuracy(accuracy, view.points)
        return cls(cost[0], accuracy[0], x[0], y[0])


@dataclass(frozen=True)
class Band:
    """Pointwise 95 % interval of the height of a curve, over resampled test queries."""

    at: np.ndarray
    """(G,) places on the horizontal axis."""
    low: np.ndarray
    """(G,)"""
    high: np.ndarray
    """(G,)"""


@dataclass(frozen=True)
class Bands:
    """The bands of a curve in both planes."""

    cost: Band
    """Accuracy at equal mean cost (USD per query)."""
    inverse: Band
    """y at equal x, both normalised within each resample."""


def bands(contest: Contest, curve: Curve, num_resamples: int, seed: int = 0) -> Bands:
    """Resample the test queries; each resample is a whole curve, read at the same places by linear interpolation.

    A resample whose curve does not reach a place is left out there.

    Args:
        contest: the router on its test rows.
        curve: its curve, which gives the places: log-spaced costs, and evenly spaced x.
        num_resamples: B, at least 1.
        seed: of the resamples, which are those of `evaluate`.
    """
    low, high = float(curve.cost_usd.min()), float(curve.cost_usd.max())
    costs = np.geomspace(low, high, NUM_PLACES) if low > 0 else np.linspace(low, high, NUM_PLACES)
    places = np.linspace(float(curve.x.min()), float(curve.x.max()), NUM_PLACES)
    accuracy, height = [], []
    size = chunk_size(len(contest.router.frontier.query))
    for weights in resample_weights(len(contest.router.table), num_resamples, seed, size):
        view = contest.under(weights).router
        cost, right = view.swept
        x, y = inverse_cost(cost, view.points), normalised_accuracy(right, view.points)
        for row in range(len(weights)):
            accuracy.append(_read(costs, cost[row, ::-1], right[row, ::-1]))
            height.append(_read(places, x[row], y[row]))
    return Bands(_band(costs, np.array(accuracy)), _band(places, np.array(height)))


def _read(at: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Height (G,) of a curve (S,) with rising x; NaN outside it."""
    return np.interp(at, x, y, left=np.nan, right=np.nan)


def _band(at: np.ndarray, heights: np.ndarray) -> Band:
    """Quantiles of (B, G); a place that fewer than half of the resamples reach has none."""
    reached = (~np.isnan(heights)).mean(axis=0) >= 0.5
    low, high = np.full(len(at), np.nan), np.full(len(at), np.nan)
    if reached.any():
        low[reached], high[reached] = np.nanquantile(heights[:, reached], [0.025, 0.975], axis=0)
    return Band(at, low, high)


@dataclass(frozen=True)
class Plane:
    """What both figures show beside the curves, in one plane."""

    horizontal: np.ndarray
    """(M,) of the targets."""
    vertical: np.ndarray
    """(M,)"""
    oracle: tuple[float, float]


def curve_drawings(
    targets: Sequence[str],
    points: PoolPoints,
    curves: Mapping[str, Curve],
    band: Bands,
    num_queries: int,
) -> list[Drawing]:
    """Figure 3 and its kin: raw cost, and normalised inverse cost where no target is free; inside ``styled()``.

    Args:
        targets: names of the M targets.
        points: single targets and oracle (B = 1).
        curves: router to its curve, the reference first.
        band: of the reference.
        num_queries: complete test queries.
    """
    dollars = Plane(
        1000 * points.cost[0],
        points.accuracy[0],
        (1000 * float(points.oracle_cost[0]), float(points.oracle_accuracy[0])),
    )
    lines = {name: (1000 * curve.cost_usd, curve.accuracy) for name, curve in curves.items()}
    around = Band(1000 * band.cost.at, band.cost.low, band.cost.high)
    front = points.pareto[0]
    drawings = [_cost_drawing(targets, front, dollars, lines, around, num_queries)]
    x = inverse_cost(points.cost, points)[0]
    if not np.isnan(x).any():
        goal = (
            inverse_cost(points.oracle_cost[:, None], points),
            normalised_accuracy(points.oracle_accuracy[:, None], points),
        )
        normalised = Plane(
            x, normalised_accuracy(points.accuracy, points)[0], (float(goal[0][0, 0]), float(goal[1][0, 0]))
        )
        lines = {name: (curve.x, curve.y) for name, curve in curves.items()}
        drawings.append(_inverse_drawing(targets, front, normalised, lines, band.inverse, num_queries))
    return drawings


def _cost_drawing(
    targets: Sequence[str], front: np.ndarray, plane: Plane,
    lines: Mapping[str, tuple[np.ndarray, np.ndarray]], band: Band, num_queries: int,
) -> Drawing:  # fmt: skip
    figure = new_figure(9.5, 6.4)
    axes = figure.add_subplot()
    least = min(plane.horizontal.min(), *(line[0].min() for line in lines.values()))
    scale = "log" if least > 0 else "linear"
    axes.set_xscale(scale)
    if scale == "log":
        plain_ticks(axes, float(plane.horizontal.max() / least))
    axes.set_xlabel(f"mean cost (USD per 1,000 queries, {scale} scale)")
    axes.set_ylabel("accuracy on test queries")
    shown = {name: thinned(*line) for name, line in lines.items()}
    stands_for = _draw(figure, axes, targets, front, plane, shown, band, rising=True)
    tops = joined([f"{name} {percent(line[1].max())}" for name, line in lines.items()], 8)
    alt = (
        f"Accuracy against mean cost of {len(lines)} routers, {count(num_queries)} test queries. Greatest accuracy of "
        f"each: {tops}. Oracle {percent(plane.oracle[1])}, best single target {percent(plane.vertical.max())}."
    )
    caption = _caption(lines)
    return Drawing(
        "curves_cost", figure, "Accuracy against cost, all routers", alt, caption, stands_for=stands_for
    )


def _inverse_drawing(
    targets: Sequence[str], front: np.ndarray, plane: Plane,
    lines: Mapping[str, tuple[np.ndarray, np.ndarray]], band: Band, num_queries: int,
) -> Drawing:  # fmt: skip
    figure = new_figure(9.5, 6.4)
    axes = figure.add_subplot()
    axes.set_xlabel("normalised inverse cost (eq. 7; 0: dearest target, 1: cheapest)")
    axes.set_ylabel("normalised accuracy (eq. 8; 0: cheapest target, 1: oracle)")
    padded = {name: (np.append(0.0, x), np.append(y[0], y)) for name, (x, y) in lines.items()}
    seen = [plane.vertical[front].min(), *(line[1].min() for line in padded.values())]
    below = plane.vertical < min(seen)
    room = 0.08 * (plane.oracle[1] - min(seen))
    axes.set_ylim(min(seen) - room, plane.oracle[1] + room)
    stands_for = _draw(figure, axes, targets, front, plane, padded, band, rising=False)
    alt = (
        f"Normalised accuracy against normalised inverse cost of {len(lines)} routers, {count(num_queries)} test "
        f"queries; the oracle is at x = {plane.oracle[0]:.2f}."
    )
    caption = f"{_caption(lines)} Curves are padded on the left as for P-AUCCC, the area under them."
    if below.any():
        some = "1 target lies" if below.sum() == 1 else f"{int(below.sum())} targets lie"
        caption += f" {some} below the figure."
    title = "Normalised inverse cost, all routers"
    return Drawing("curves_inverse_cost", figure, title, alt, caption, stands_for=stands_for)


def _caption(lines: Mapping[str, object]) -> str:
    return (
        f"The band is the pointwise 95 % bootstrap interval of {next(iter(lines))} over test queries. Targets on the "
        "Pareto front are labelled."
    )


def _draw(
    figure: Figure, axes: Axes, targets: Sequence[str], front: np.ndarray, plane: Plane,
    lines: Mapping[str, tuple[np.ndarray, np.ndarray]], band: Band, *, rising: bool,
) -> Mapping[str, str]:  # fmt: skip
    """Draw curves, band, targets, front and oracle, the legend below; names that are drawn with escapes."""
    handles = []
    axes.fill_between(band.at, band.low, band.high, color=BLUE, alpha=0.15, lw=0, zorder=1)
    for index, (x, y) in enumerate(lines.values()):
        style = DASHES[index // len(SHARE_COLOURS) % len(DASHES)]
        colour = SHARE_COLOURS[index % len(SHARE_COLOURS)]
        width, above = (2.6, 5) if index == 0 else (1.5, 4)
        handles += axes.plot(x, y, color=colour, lw=width, ls=style, zorder=above)
    order = np.flatnonzero(front)[np.argsort(plane.horizontal[front])]
    stairs = plane.horizontal[order], plane.vertical[order]
    handles += axes.step(*stairs, where="post" if rising else "pre", color=GREY, lw=0.9, alpha=0.9, zorder=2)
    axes.plot(
        plane.horizontal[~front], plane.vertical[~front], "o", ms=4.5, mfc=GREY, mec=PAPER, mew=0.7, zorder=3
    )
    handles += axes.plot(*stairs, "o", ms=6, mfc=INK, mec=PAPER, mew=0.7, zorder=6)
    handles += axes.plot(*plane.oracle, "*", ms=14, color=GREEN, mec=PAPER, mew=0.7, zorder=6)
    names = drawn_names([*lines], longest=44)
    legend = [*names.names, "Pareto front of targets", "target on it", "oracle"]
    axes.margins(x=0.07, y=0.07)
    name_legend(figure, handles, legend, columns=3)
    settle(figure)
    drawn = drawn_names(targets)
    positions = np.column_stack([plane.horizontal, plane.vertical])
    oracle = np.array([plane.oracle])
    marks = np.concatenate([positions, oracle])
    steps = corners(*stairs) if rising else corners(stairs[0][::-1], stairs[1][::-1])
    ink = np.concatenate([sampled(*line) for line in (*lines.values(), steps)])
    boxes = place_labels(axes, oracle, ["oracle"], marks, ink, colour=GREEN)
    texts = [drawn.names[index] for index in order]
    place_labels(axes, positions[order], texts, marks, ink, colour=INK, taken=boxes)
    return {**drawn.stands_for, **names.stands_for}
