"""A drawn figure: PNG and SVG for slides and papers, and an inlined SVG that follows the page's theme."""

import io
import re
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from prefillroute.reports.style import CSS_VARIABLES, styled


@dataclass(frozen=True)
class Drawing:
    """One figure of the report, with what a reader who cannot see it is told."""

    name: str
    """File stem in ``figures/`` and prefix of every id inside the SVG."""
    figure: Figure
    title: str
    alt: str
    """What the figure shows, in words and numbers."""
    caption: str = ""
    tooltips: dict[str, str] = field(default_factory=dict)
    """Artist gid to the text a browser shows when the pointer rests on it."""

    def save(self, folder: Path) -> None:
        """Write ``<name>.png`` (200 dpi) and ``<name>.svg``, each under its final name only when complete."""
        folder.mkdir(parents=True, exist_ok=True)
        with styled(**{"svg.hashsalt": self.name}):
            for suffix, options in (
                ("png", {"dpi": 200, "metadata": {"Software": None}}),
                ("svg", _SVG_OPTIONS),
            ):
                buffer = io.BytesIO()
                self.figure.savefig(buffer, format=suffix, **options)
                partial = folder / f".{self.name}.{suffix}.partial"
                partial.write_bytes(buffer.getvalue())
                partial.replace(folder / f"{self.name}.{suffix}")

    def inline_svg(self) -> str:
        """The drawing as an ``<svg>`` element: CSS variables for colours, unique ids, no address."""
        buffer = io.StringIO()
        with styled(**{"svg.hashsalt": self.name}):
            self.figure.savefig(buffer, format="svg", **_SVG_OPTIONS)
        text = buffer.getvalue()
        text = text[text.index("<svg") :]
        text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
        text = re.sub(r'\sxmlns(:xlink)?="[^"]*"', "", text)
        text = re.sub(r'\bid="', f'id="{self.name}-', text)
        text = re.sub(r'(xlink:)?href="#', f'href="#{self.name}-', text)
        text = text.replace("url(#", f"url(#{self.name}-")
        for colour, variable in CSS_VARIABLES.items():
            text = text.replace(colour, f"var({variable})")
        for gid, tooltip in self.tooltips.items():
            opening = f'<g id="{self.name}-{gid}">'
            text = text.replace(opening, f"{opening}<title>{escape(tooltip)}</title>")
        # width and height in points would fix the size; the view box alone lets the page scale it
        text = re.sub(r'(<svg\b[^>]*?)\swidth="[^"]*"', r"\1", text, count=1)
        text = re.sub(r'(<svg\b[^>]*?)\sheight="[^"]*"', r"\1", text, count=1)
        return text.replace("<svg", f'<svg role="img" aria-label="{escape(self.alt)}"', 1)


_SVG_OPTIONS: dict[str, Any] = {"metadata": {"Date": None, "Creator": None}}


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of ``width`` x ``height`` inches on the Agg canvas; pyplot's global state stays out."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
