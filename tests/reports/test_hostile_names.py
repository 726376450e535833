"""Names of users in the report: in the page's text, in its figures, in a sweep's summary."""

import dataclasses
import io
import json
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefillroute.jobs.status import Status
from prefillroute.reports import glyphs
from prefillroute.reports.drawing import Drawing, name_legend, new_figure
from prefillroute.reports.glyphs import drawn_names
from prefillroute.reports.pool_plane import pool_plane
from prefillroute.reports.report import draw, write_report
from prefillroute.reports.run_folder import read_run_folder
from prefillroute.reports.style import styled
from prefillroute.reports.sweep import summarise_sweep
from prefillroute.reports.tables import Column, Row, Table
from prefillroute.reports.template import render_template
from prefillroute.text.screen import Screen
from prefillroute.text.visible import hidden, visible
from tests.hostile import BROKEN, NAMES


class Page(HTMLParser):
    """Elements, and the text of each row's heading."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.headings: list[str] = []
        self.cells: list[str] = []
        self._open = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        if tag == "th" and ("scope", "row") in attrs:
            self._open = "headings"
            self.headings.append("")
        elif tag == "td":
            self._open = "cells"
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td"):
            self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open:
            getattr(self, self._open)[-1] += data


@pytest.fixture
def hostile_run(run_folder, make_table) -> Path:
    table = make_table(len(NAMES))
    return run_folder(dataclasses.replace(table, targets=NAMES))


def test_the_page_shows_every_name_and_lets_none_in(hostile_run, finished_run):
    text = write_report(hostile_run).read_text(encoding="utf-8")
    page, plain = Page(text), Page((finished_run / "report.html").read_text(encoding="utf-8"))
    for name in NAMES:
        assert visible(name) in page.headings
    assert not any(map(hidden, text.replace("\n", "")))
    drawn = {"defs", "use", "path"}  # a figure has as many marks as there are targets
    assert set(page.elements) - drawn <= set(plain.elements) | {"code", "bdi"}
    assert page.elements["script"] == 0
    assert page.attributes <= plain.attributes
    assert "49" not in page.headings  # {{ 7*7 }}


def test_the_figures_are_files_with_the_names_that_they_label(hostile_run):
    write_report(hostile_run)
    for name in ("accuracy_cost", "routing_shares", "reliability"):
        assert (hostile_run / "figures" / f"{name}.png").stat().st_size > 5000
        ElementTree.parse(hostile_run / "figures" / f"{name}.svg")


@pytest.mark.parametrize("first", range(0, len(NAMES), 8))
def test_each_name_in_labels_and_legends(run_folder, make_table, first):
    targets = NAMES[first : first + 8]
    table = make_table(len(targets))
    run = read_run_folder(run_folder(dataclasses.replace(table, targets=targets)))
    with styled():
        drawings = {drawing.name: drawing for drawing in draw(run, pool_plane(run.test))}
        svgs = {key: texts(drawing.svg) for key, drawing in drawings.items()}
    drawn = drawn_names(targets)
    meant = [drawn.stands_for.get(name, name) for name in drawn.names]
    assert set(meant) <= svgs["accuracy_cost"]
    legend = [text.get_text() for text in drawings["routing_shares"].figure.legends[0].get_texts()]
    bands = [name for name in drawn.names if name in legend]
    assert bands
    assert {drawn.stands_for.get(name, name) for name in bands} <= svgs["routing_shares"]


def texts(svg: str) -> set[str]:
    """Texts of an SVG as a reader sees them."""
    return {
        element.text or "" for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("text")
    }


def test_a_name_with_an_underscore_is_in_the_legend():
    with styled():
        figure = new_figure(4, 3)
        axes = figure.add_subplot()
        handles = axes.stackplot([0, 1], [1, 2], [2, 1])
        name_legend(figure, handles, ["_hidden", "$x^2$"], columns=2)
        svg = Drawing("shares", figure, "", "").svg
    assert {"_hidden", "$x^2$"} <= texts(svg)


def test_signs_without_a_font_are_escapes_in_the_png_and_themselves_in_the_svg(monkeypatch):
    monkeypatch.setattr(glyphs, "_signs", lambda: frozenset(range(32, 127)) | {ord("…")})
    drawn = drawn_names(["文心", "o3[high]"])
    assert drawn.names == ("\\u6587\\u5fc3", "o3[high]")
    assert drawn.stands_for == {"\\u6587\\u5fc3": "文心"}
    with styled():
        figure = new_figure(4, 3)
        figure.add_subplot().set_title(drawn.names[0])
        svg = Drawing("one", figure, "", "", stands_for=drawn.stands_for).svg
    assert "文心" in texts(svg)


def test_a_font_of_the_system_is_used_where_there_is_one(monkeypatch):
    """DejaVu Sans Mono stands for a system's font; the order is that of the list."""
    monkeypatch.setattr(glyphs, "FALLBACKS", ("No Such Font", "DejaVu Sans Mono"))
    assert glyphs.font_families.__wrapped__() == ("DejaVu Sans", "DejaVu Sans Mono")


def test_long_names_lose_their_middle_and_stay_apart():
    drawn = drawn_names(["x" * 100 + "1" + "y" * 100, "x" * 100 + "2" + "y" * 100, "short"])
    assert drawn.names == (f"{'x' * 15}…{'y' * 14} #1", f"{'x' * 15}…{'y' * 14} #2", "short")


@settings(max_examples=25, deadline=None)
@given(st.lists(BROKEN, min_size=1, max_size=4))
def test_any_names_can_be_drawn(names):
    drawn = drawn_names(names)
    assert max(map(len, drawn.names)) <= 30 + len(" #4")
    assert len(set(drawn.names)) == len(names) or len({visible(name) for name in names}) < len(names)
    with styled():
        figure = new_figure(3, 2)
        axes = figure.add_subplot()
        name_legend(figure, [axes.plot([0], [0])[0] for _ in names], drawn.names, columns=1)
        drawing = Drawing("any", figure, "", " ".join(names), stands_for=drawn.stands_for)
        figure.savefig(io.BytesIO(), format="png")
        ElementTree.fromstring(drawing.svg)
        inline = drawing.inline_svg()
    assert not any(map(hidden, inline.replace("\n", "")))


@settings(max_examples=50, deadline=None)
@given(BROKEN)
def test_any_text_is_text_on_a_page(text):
    def page(word: str) -> Page:
        table = Table("", word, (Column(word, word),), (Row((word,)), Row((word,), marked=True)), word)
        section = {"name": word, "svg": "", "caption": word, "tables": [table]}
        return Page(render_template("comparison.html.j2", title=word, sections=[section], notes=[word]))

    found = page(f"x{text}")
    assert found.elements == page("x").elements
    assert found.attributes == page("x").attributes
    assert [visible(heading) for heading in found.headings] == [visible(f"x{text}")] * 2


def test_a_sweep_over_names(tmp_path):
    for number, name in enumerate(NAMES):
        folder = tmp_path / str(number)
        folder.mkdir()
        Status("finished", (f"pool.exclude=[{name}]", f"+note={name}")).write(folder)
        metrics = {"test": {"mean_auc": -number / 100, "best_single": name}, "targets": {name: {"auc": 0.5}}}
        (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    stream = io.StringIO()
    assert summarise_sweep(tmp_path, screen=Screen(file=stream, columns=3000)) == 0
    assert not any(map(hidden, stream.getvalue().replace("\n", "")))
    page = Page((tmp_path / "summary.html").read_text(encoding="utf-8"))
    frame = pd.read_csv(
        tmp_path / "summary.csv", keep_default_na=False, dtype={"best_single": str, "note": str}
    )
    for number, name in enumerate(NAMES):
        assert visible(f"[{name}]") in stream.getvalue()
        assert visible(f"[{name}]") in page.cells
        for column in ("best_single", "note"):
            assert frame[column][number].removeprefix("'") == visible(name)
            assert not frame[column][number].startswith(("=", "@", "+"))
    assert frame["mean_auc"].tolist() == [-number / 100 for number in range(len(NAMES))]
