"""Places labels beside points so that they cross neither each other nor the points: greedily, best place first."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg

_DISTANCES = (7.0, 13.0, 22.0, 34.0, 48.0)
"""Distances from the point that are tried, in typographic points (1/72 inch)."""
_ANGLES = (0.0, 45.0, -45.0, 180.0, 135.0, -135.0, 90.0, -90.0)
"""Directions that are tried, in degrees; the right comes first, where readers expect a label."""
_MARKER_RADIUS = 4.0


def place_labels(
    axes: Axes,
    positions: np.ndarray,
    texts: Sequence[str],
    marks: np.ndarray,
    lines: np.ndarray,
    *,
    colour: str,
    size: float = 8.5,
    taken: list[tuple[float, float, float, float]] | None = None,
) -> list[tuple[float, float, float, float]]:
    """Write ``texts`` next to ``positions`` (n, 2), clear of each other, of markers and, if possible, of lines.

    The axes must have their final limits and place (see `drawing.settle`).

    Args:
        positions: (n, 2) in data coordinates.
        marks: (k, 2) markers to keep clear of, in data coordinates.
        lines: (l, 2) densely sampled curves to keep clear of if possible, in data coordinates.
        colour: colour of the text and its leader line.
        taken: pixel boxes (x0, y0, x1, y1) of labels that are already placed.

    Returns:
        All boxes taken, for the next call. A label that finds no free place is put where it crosses the least.
    """
    canvas = axes.figure.canvas
    assert isinstance(canvas, FigureCanvasAgg), "labels are measured on the Agg canvas"
    renderer = canvas.get_renderer()
    scale = axes.figure.dpi / 72
    frame = axes.get_window_extent(renderer)
    mark_pixels, line_pixels = (
        axes.transData.transform(group) if len(group) else group for group in (marks, lines)
    )
    boxes = list(taken or [])
    for position, text in zip(positions, texts, strict=True):
        anchor = axes.transData.transform(position)
        probe = axes.text(0, 0, text, fontsize=size)
        extent = probe.get_window_extent(renderer)
        probe.remove()
        candidates = []
        for distance in _DISTANCES:
            for angle in _ANGLES:
                box = _box(anchor, distance * scale, np.deg2rad(angle), extent.width, extent.height)
                inside = (
                    box[0] >= frame.x0 and box[2] <= frame.x1 and box[1] >= frame.y0 and box[3] <= frame.y1
                )
                crossings = (
                    sum(_overlap(box, other) for other in boxes)
                    + 2 * _hits(box, mark_pixels, _MARKER_RADIUS * scale)
                    + min(_hits(box, line_pixels, scale), 1)
                )
                candidates.append((crossings + (0 if inside else 1000), distance, box))
        crossings, distance, box = min(candidates, key=lambda candidate: candidate[0])
        boxes.append(box)
        axes.annotate(
            text,
            xy=tuple(position),
            xytext=((box[0] - anchor[0]) / scale, (box[1] - anchor[1]) / scale),
            textcoords="offset points",
            fontsize=size,
            color=colour,
            ha="left",
            va="bottom",
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "lw": 0.5,
                "alpha": 0.5,
                "shrinkB": 3,
                "shrinkA": 0,
            }
            if distance > _DISTANCES[1]
            else None,
            zorder=6,
        )
    return boxes


def _box(
    anchor: np.ndarray, distance: float, angle: float, width: float, height: float
) -> tuple[float, float, float, float]:
    """Pixel box (x0, y0, x1, y1) of a label that lies ``distance`` away in the direction ``angle``."""
    x = anchor[0] + distance * np.cos(angle) + (np.round(np.cos(angle), 6) < 0) * -width
    if abs(np.cos(angle)) < 1e-6:
        x = anchor[0] - width / 2
    y = anchor[1] + distance * np.sin(angle)
    if abs(np.sin(angle)) < 1e-6:
        y -= height / 2
    elif np.sin(angle) < 0:
        y -= height
    return float(x), float(y), float(x + width), float(y + height)


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Share of label ``a`` that ``b`` covers, times ten, because a crossed label is worse than a touched point."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    return 1.0 + 10 * width * height / ((a[2] - a[0]) * (a[3] - a[1]))


def _hits(box: tuple[float, float, float, float], points: np.ndarray, margin: float) -> int:
    """Number of points inside the box, widened by the marker's radius."""
    x, y = points[:, 0], points[:, 1]
    return int(
        ((x > box[0] - margin) & (x < box[2] + margin) & (y > box[1] - margin) & (y < box[3] + margin)).sum()
    )
