"""A drawn figure: PNG and SVG for slides and papers, and an inlined SVG that follows the page's theme."""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path

from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from prefillroute.files import replacing
from prefillroute.reports.style import CSS_VARIABLES, styled
from prefillroute.text.visible import visible


@dataclass(frozen=True)
class Drawing:
    """One figure of the report, with a description for readers who cannot see it."""

    name: str
    """File stem in ``figures/`` and prefix of every id inside the SVG."""
    figure: Figure
    title: str
    alt: str
    """What the figure shows, in words and numbers."""
    caption: str = ""
    tooltips: dict[str, str] = field(default_factory=dict)
    """From the gid of an artist to the text that a browser shows when the pointer rests on it."""
    stands_for: Mapping[str, str] = field(default_factory=dict)
    """From names that are drawn with escapes to the names that are meant; see `glyphs.drawn_names`."""

    def __post_init__(self) -> None:
        settle(self.figure)

    @cached_property
    def svg(self) -> str:
        """The drawing as an SVG file; call it in the style the figure was drawn in."""
        buffer = io.StringIO()
        with styled(**{"svg.hashsalt": self.name}):
            self.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        text = buffer.getvalue()
        # An SVG keeps text as text, which the reader's fonts draw.
        for drawn, meant in self.stands_for.items():
            text = text.replace(f">{escape(drawn, quote=False)}<", f">{escape(meant, quote=False)}<")
        return text

    def save(self, folder: Path) -> None:
        """Write ``<name>.png`` (200 dpi) and ``<name>.svg``, each under its final name only when complete."""
        buffer = io.BytesIO()
        with styled():
            self.figure.savefig(buffer, format="png", dpi=200, metadata={"Software": None})
        for suffix, content in (("png", buffer.getvalue()), ("svg", self.svg.encode())):
            with replacing(folder / f"{self.name}.{suffix}") as partial:
                partial.write_bytes(content)

    def inline_svg(self) -> str:
        """The drawing as an ``<svg>`` element: its colours are CSS variables, its ids are unique, and it has no URL."""
        text = self.svg
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
            text = text.replace(opening, f"{opening}<title>{escape(visible(tooltip))}</title>")
        # width and height in points would fix the size; the view box alone lets the page scale it
        text = re.sub(r'(<svg\b[^>]*?)\swidth="[^"]*"', r"\1", text, count=1)
        text = re.sub(r'(<svg\b[^>]*?)\sheight="[^"]*"', r"\1", text, count=1)
        return text.replace("<svg", f'<svg role="img" aria-label="{escape(visible(self.alt))}"', 1)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of ``width`` x ``height`` inches on the Agg canvas, which leaves pyplot's global state alone."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def name_legend(figure: Figure, handles: Sequence[Artist], names: Sequence[str], columns: int) -> None:
    """A legend below the axes that shows every name: matplotlib leaves out those that begin with `_`."""
    legend = figure.legend(handles, ["-"] * len(handles), loc="outside lower center", ncols=columns)
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_text(name)


def settle(figure: Figure) -> None:
    """Lay the figure out once and keep that layout, because layout is the most expensive part of drawing."""
    if isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine):
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
