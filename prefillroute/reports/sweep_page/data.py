"""The page's data as one JSON text: what the script sorts, filters and draws.

Arrays are base64 of little-endian numbers. Cost and accuracy are float64, so that the page shows the numbers of
curve.parquet and not roundings of them.
"""

import base64
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from prefillroute.reports.sweep_page.curves import RunCurve
from prefillroute.reports.sweep_page.stage import Stage, pool_points

MOST_SHADES = 8
"""Number of targets that have a shade of their own in the bars of routing shares; the others are one grey part."""
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
# S = operating points, M = targets


def script_json(data: Any) -> Markup:
    """JSON that cannot end the script element it stands in, whatever its texts say.

    Example:
        >>> print(script_json("</script>"))
        "\\u003c/script\\u003e"
    """
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    for sign, escape in _ESCAPES.items():
        text = text.replace(sign, escape)
    return Markup(text)


def packed(values: np.ndarray, dtype: str) -> str:
    """An array as base64 of little-endian numbers."""
    little = np.asarray(values, dtype=np.dtype(dtype).newbyteorder("<"))
    return base64.b64encode(little.tobytes()).decode("ascii")


def curve_data(curve: RunCurve) -> dict[str, Any]:
    """What the script needs of one run's curve.

    The numbers of queries that go to each target are kept as changes from one operating point to the next:
    `changed[s]` of the pairs (target, change) in `changes` lead to point s; all counts begin at 0.
    """
    points = pool_points(curve.plane)
    change = np.diff(curve.routed, axis=0, prepend=0)
    row, target = np.nonzero(change)
    wide = curve.plane.num_queries > int(np.iinfo(np.int16).max)
    ends = {
        "least": points.cost_of(points.cheapest)[0],
        "dearest": points.cost_of(points.dearest)[0],
        "floor": points.accuracy_of(points.cheapest)[0],
        "ceiling": max(points.oracle_accuracy[0], points.accuracy.max()),
    }
    return {
        "queries": curve.plane.num_queries,
        "begins": packed(np.searchsorted(curve.position, np.arange(len(curve.cost_usd))), "uint16"),
        "cost": packed(curve.cost_usd, "float64"),
        "accuracy": packed(curve.accuracy, "float64"),
        "wide": wide,
        "changes": packed(np.column_stack([target, change[row, target]]), "int32" if wide else "int16"),
        "changed": packed(np.bincount(row, minlength=len(change)), "uint16"),
        "line": packed(curve.line, "float32"),
        **{key: float(value) for key, value in ends.items()},
    }


def stage_data(stage: Stage) -> dict[str, Any]:
    """Where the script finds a figure and its axes."""
    frame = stage.frame
    return {
        "scale": stage.scale, "name": stage.drawing.name, "log": frame.log, "x": frame.x, "y": frame.y,
        "box": [frame.left, frame.top, frame.width, frame.height],
    }  # fmt: skip


def shaded_targets(curves: Sequence[RunCurve]) -> list[int]:
    """The targets with a shade of their own, from cheap to dear: those with the greatest shares anywhere on a curve."""
    greatest = np.max([curve.shares.max(axis=0) for curve in curves], axis=0)
    shown = np.argsort(-greatest, kind="stable")[:MOST_SHADES]
    shown = shown[greatest[shown] > 0]
    return [int(index) for index in shown[np.argsort(curves[0].plane.cost_usd[shown], kind="stable")]]
