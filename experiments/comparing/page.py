"""What a comparison leaves: comparison.csv, comparison.html and the forest plots as files."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from experiments.comparing.forest import forest_drawing
from experiments.comparing.pool import PoolComparison
from experiments.comparing.printing import (
    difference_rows,
    differences_title,
    values_rows,
    values_title,
)
from prefillroute.files import write_text
from prefillroute.reports.catalogue import Metric
from prefillroute.reports.style import styled
from prefillroute.reports.tables import Column, Row, Table
from prefillroute.reports.template import render_template
from prefillroute.text.spreadsheet import csv_text


def write_comparison(
    out: Path, comparisons: Sequence[PoolComparison], shown: Sequence[Metric], notes: Sequence[str] = ()
) -> Path:
    """Write comparison.csv, comparison.html and ``figures/forest-<pool>.png`` and ``.svg``.

    Args:
        out: folder, made when missing.
        comparisons: one per pool.
        shown: metrics.
        notes: sentences for the page: what was chosen how, what is missing.

    Returns:
        Path of the page.
    """
    out.mkdir(parents=True, exist_ok=True)
    sections = []
    with styled():
        for found in comparisons:
            svg = caption = ""
            if found.differences:
                drawing = forest_drawing(found, shown)
                drawing.save(out / "figures")
                svg, caption = drawing.inline_svg(), drawing.caption
            tables = [_table(values_title(found), values_rows(found, shown), shown)]
            if found.differences:
                tables.append(_table(differences_title(found), difference_rows(found, shown), shown))
            sections.append(
                {
                    "name": found.pool,
                    "svg": Markup(svg),
                    "caption": caption,
                    "tables": tables,
                }  # escaped where drawn
            )
    frame = pd.concat([found.frame(shown) for found in comparisons], ignore_index=True)
    page = render_template("comparison.html.j2", title="Routers compared", sections=sections, notes=notes)
    for name, text in (("comparison.csv", csv_text(frame)), ("comparison.html", page)):
        write_text(out / name, text)
    return out / "comparison.html"


def _table(title: str, rows: list[tuple[str, list[tuple[str, str]]]], shown: Sequence[Metric]) -> Table:
    columns = [Column(f"{metric.label}\n{metric.direction}", metric.meaning) for metric in shown]
    cells = [Row((router, *(f"{value}\n{ends}".strip() for value, ends in row))) for router, row in rows]
    return Table("", title, (Column("router"), *columns), tuple(cells))
