"""The answer of one part of a study: tables, figures and remarks, on the terminal, as files and as a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup
from rich.table import Table

from experiments.paper.sheet import Sheet
from prefillroute.files import write_text
from prefillroute.reports.drawing import Drawing
from prefillroute.reports.style import styled
from prefillroute.reports.template import render_template
from prefillroute.text.printing import say
from prefillroute.text.screen import Screen

PAGE = "page.html"


@dataclass(frozen=True)
class Section:
    """What a part has found."""

    title: str
    sheets: tuple[Sheet, ...]
    drawings: tuple[Drawing, ...] = ()
    """Made inside ``styled()``."""
    notes: tuple[str, ...] = ()
    """Sentences: what was chosen how, what is left out and why."""

    def write(self, folder: Path, pool: str) -> Path:
        """Write the tables, ``figures/`` and the page into a folder; return the page's path."""
        for sheet in self.sheets:
            sheet.write(folder)
        with styled():
            for drawing in self.drawings:
                drawing.save(folder / "figures")
            drawn = [
                (drawing, Markup(drawing.inline_svg())) for drawing in self.drawings
            ]  # escaped where drawn
        page = render_template("paper.html.j2", section=self, pool=pool, drawings=drawn)
        write_text(folder / PAGE, page)
        return folder / PAGE

    def print(self, screen: Screen | None = None) -> None:
        """Print the tables and the remarks."""
        screen = screen or Screen(columns=200)
        for sheet in self.sheets:
            table = Table(title=sheet.title, title_justify="left")
            for index, column in enumerate(sheet.columns):
                table.add_column(column, justify="right" if index else "left", overflow="fold")
            for row in sheet.rows:
                table.add_row(*(f"{cell.text} *" if cell.best else cell.text for cell in row))
            screen.table(table)
        for note in self.notes:
            say(note)


def link_pages(out: Path, pages: Sequence[tuple[str, str]]) -> Path:
    """Write the page that leads to all parts of all pools that are on disk.

    Args:
        out: folder of the study.
        pages: (pool, part) of the parts that were just written.
    """
    found = sorted(
        {(page.parent.parent.name, page.parent.name) for page in out.glob(f"*/*/{PAGE}")} | set(pages)
    )
    pools = list(dict.fromkeys(pool for pool, _ in found))
    parts = {pool: [part for name, part in found if name == pool] for pool in pools}
    write_text(out / "index.html", render_template("paper_index.html.j2", parts=parts, page=PAGE))
    return out / "index.html"
