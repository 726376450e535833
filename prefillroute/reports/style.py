"""One look for every figure: colours, sizes, and the ink that an inlined SVG swaps for the page's own.

Colours are Okabe and Ito's (2008), which stay apart for colour-blind readers on light and dark paper; yellow
and black are not used. Ink, muted text and grid lines are drawn in three marker colours that
:mod:`prefillroute.reports.drawing` replaces by CSS variables, so that one drawing serves both themes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib

from prefillroute.reports.glyphs import font_families

INK = "#1b1f24"
MUTED = "#5b6470"
GRID = "#dfe3e8"
PAPER = "#fffffe"
"""A background that is not quite white, so that it can be told from a drawn `#ffffff` and replaced by `--paper`."""
BLUE = "#0072b2"
VERMILLION = "#d55e00"
GREEN = "#009e73"
PURPLE = "#cc79a7"
SKY = "#56b4e9"
ORANGE = "#e69f00"
GREY = "#8a939e"
CSS_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    PAPER: "--paper",
    BLUE: "--blue",
    VERMILLION: "--vermillion",
    GREEN: "--green",
}
"""Marker colours that the page replaces, so that lines and labels stay readable on light and dark paper."""
CYCLE = (BLUE, VERMILLION, GREEN, PURPLE, SKY, ORANGE)
SHARE_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, "#6f4e9c", "#8c6d31")
"""Eight colours for stacked areas, which can be told apart side by side."""

RC_PARAMS: dict[str, Any] = {
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "font.size": 10,
    "text.parse_math": False,  # a target may be called anything
    "svg.fonttype": "none",
    "figure.dpi": 100,
}


def css_colour(colour: str) -> str:
    """The colour as an inlined drawing has it on a page: its CSS variable if it has one."""
    return f"var({CSS_VARIABLES[colour]})" if colour in CSS_VARIABLES else colour


@contextmanager
def styled(**extra: Any) -> Iterator[None]:
    """Draw and save in this style, e.g. ``with styled(): ...``; the settings from before are restored afterwards."""
    families = [*font_families(), "sans-serif"]
    settings: Any = {**RC_PARAMS, "font.family": families, **extra}
    with matplotlib.rc_context(settings):
        yield
