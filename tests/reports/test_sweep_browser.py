"""The page of a sweep in a real browser: it sorts, selects and moves, and fetches nothing."""

import json

import pandas as pd
import pytest

from tests.browser import CHROMIUM, tab
from tests.reports.conftest import HOSTILE, routed_by_hand

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH")

CELLS = """[...document.querySelectorAll("#operating tbody tr")].map((row) => ({
  job: row.querySelector(".row-name").textContent.trim(),
  value: [1, 2, 3].map((cell) => row.cells[cell].dataset.value),
  text: [row.cells[1].textContent, row.cells[2].querySelector("small").textContent],
  shares: [...row.querySelectorAll(".bar span")].map((part) => Number(part.dataset.value)),
}))"""
JOBS = """[...document.querySelectorAll("#finished tbody tr")].filter((row) => !row.hidden)
  .map((row) => row.querySelector(".row-name").textContent)"""
CONTRAST = """(() => {
  const parse = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const over = (top, under) => [0, 1, 2].map((i) => top[3] * top[i] + (1 - top[3]) * under[i]);
  const background = (element) => {
    const own = parse(getComputedStyle(element).backgroundColor);
    if (element === document.body) return own;
    return own[3] === 1 ? own : [...over(own, background(element.parentElement)), 1];
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility() || element.closest("script")) continue;
    const style = getComputedStyle(element);
    const ink = light(parse(element.closest("svg") ? style.fill : style.color));
    const paper = light(background(element.closest("svg")?.parentElement ?? element));
    const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (ratio < 4.5) found.push([ratio, walker.currentNode.textContent.trim(), element.tagName]);
  }
  return found;
})()"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with tab(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def page(browser, compared_sweep):
    browser.look(1200, 800)
    browser.open(compared_sweep / "summary.html")
    yield browser
    assert browser.requests == [(compared_sweep / "summary.html").resolve().as_uri()]
    assert browser.errors == []


def move(page, position):
    page.run(
        f'(() => {{ const s = document.getElementById("lambda"); s.value = {position};'
        's.dispatchEvent(new Event("input")); })()'
    )


def test_the_slider_shows_the_numbers_of_the_curve(page, compared_sweep):
    page.run('document.getElementById("lambda").focus()')
    for _ in range(3):
        page.press("ArrowRight", 39)
    assert page.run('document.getElementById("lambda-value").textContent') == "0.003"
    shaded = page.run('JSON.parse(document.getElementById("data").textContent).pools[0].shaded')
    assert sorted(shaded) == [0, 1, 2]
    places = []
    for position in (3, 0, 137, 400, 1000):
        move(page, position)
        cells = page.run(CELLS)
        assert len(cells) == 6
        for cell in cells:
            folder = compared_sweep / folder_of(compared_sweep, cell["job"])
            curve = pd.read_parquet(folder / "curve.parquet")
            row = curve[curve["lambda_low"] <= position / 1000].iloc[-1]
            accuracy, cost, share = map(float, cell["value"])
            assert (accuracy, cost) == (row["accuracy"], row["cost_usd"])
            assert cell["text"] == [f"{100 * accuracy:.2f} %", f"{cost:#.4g} per query"]
            frame = pd.read_parquet(folder / "predictions.parquet").query("split == 'test'")
            whole = frame.groupby("query_id").filter(lambda part: part["correct"].notna().all())
            assert share == pytest.approx(cost / whole.groupby("target")["cost_usd"].mean().max())
            (counts,) = routed_by_hand(folder, [row["lambda"]])
            *parts, others = cell["shares"]
            assert parts == pytest.approx(counts[shaded] / counts.sum())
            assert others == pytest.approx(0, abs=1e-9)
        places.append(
            page.run('[...document.querySelectorAll(".dot")].map((dot) => dot.getAttribute("cx")).join()')
        )
    assert len(set(places)) == 5


def folder_of(sweep, job):
    for folder in sweep.iterdir():
        if folder.is_dir() and json.loads((folder / "status.json").read_text())["overrides"] == job.split():
            return folder.name
    raise AssertionError(job)


def test_rows_sort_by_click_and_key_with_nulls_last(page, compared_sweep):
    frame = pd.read_csv(compared_sweep / "summary.csv", dtype={"folder": str}).query("state == 'finished'")
    assert page.run(JOBS) == list(frame["folder"])
    heading = (
        "[...document.querySelectorAll('#finished thead th')].find((th) => th.textContent.startsWith('%s'))"
    )
    order = frame
    # Each sort starts from the order before it, so that equal rows show whether it is stable.
    for name, column, up in (
        ("Mean Brier", "mean_brier", True), ("Mean Brier", "mean_brier", False), ("encoder", "encoder", True),
        ("seed", "seed", True), ("pool", "pool", True), ("pool", "pool", False),
    ):  # fmt: skip
        page.run(f"{heading % name}.querySelector('button').focus()")
        page.press("Enter", 13, "\r")
        order = order.sort_values(column, ascending=up, kind="stable", na_position="last")
        assert page.run(JOBS) == list(order["folder"]), name
        sorted_by = page.run("[...document.querySelectorAll('[aria-sort]')].map((th) => th.ariaSort)")
        assert sorted_by == ["ascending" if up else "descending"]
    page.run(f"{heading % 'Mean AUC'}.querySelector('button').click()")
    assert page.run(JOBS)[0] == frame["folder"].iloc[0]


def test_a_checkbox_takes_a_curve_away_and_a_menu_filters(page):
    curves = 'document.querySelectorAll(".curve[data-run]").length'
    assert page.run(curves) == 6
    assert page.run('document.querySelectorAll(".pick").length') == 7  # one run has no curve
    page.run('document.querySelector(".pick").focus()')
    page.press(" ", 32, " ")
    gone = page.run('document.querySelector(".pick").checked')
    assert gone is False
    assert (page.run(curves), page.run(f"{CELLS}.length")) == (5, 5)
    page.run('document.querySelector(".pick").click()')
    assert page.run(curves) == 6
    page.run("""(() => { const menu = document.querySelector("#filters select");
        menu.selectedIndex = 1; menu.dispatchEvent(new Event("change")); })()""")
    assert len(page.run(JOBS)) == 4  # encoder a
    page.run("[...document.querySelectorAll('#filters button')].at(1).click()")  # only these
    assert page.run(curves) == 3
    page.run("[...document.querySelectorAll('#filters button')].at(2).click()")  # none
    assert page.run(curves) == 0


def test_another_pool_and_the_other_axes(page, compared_sweep):
    visible = """[...document.querySelectorAll("#curves figure")].filter((one) => one.checkVisibility())
      .map((one) => one.dataset.scale)"""
    assert page.run(visible) == ["cost"]
    page.run("document.querySelector('[value=normalised]').click()")
    assert page.run(visible) == ["normalised"]
    page.run("""(() => { const menu = document.getElementById("pool");
        menu.value = 1; menu.dispatchEvent(new Event("change")); })()""")
    assert page.run(visible) == ["normalised"]
    (cell,) = page.run(CELLS)
    assert "pool=q" in cell["job"]
    row = pd.read_parquet(compared_sweep / "6" / "curve.parquet").iloc[0]
    stage = page.run('JSON.parse(document.getElementById("data").textContent).pools[1].stages[1]')
    left, top, width, height = stage["box"]
    (x_low, x_high), (y_low, y_high) = stage["x"], stage["y"]
    place = [
        left + width * (row["x"] - x_low) / (x_high - x_low),
        top + height * (y_high - row["y"]) / (y_high - y_low),
    ]
    dot, corner = (
        page.run("""[".dot", ".curves path"].map((one) => document.querySelector(`[data-pool="1"] ${one}`))
      .map((one, path) => path ? one.getAttribute("d").slice(1).split("L")[0].split(" ")
        : [one.getAttribute("cx"), one.getAttribute("cy")])""")
    )
    assert list(map(float, dot)) == pytest.approx(place, abs=0.01)
    assert list(map(float, corner)) == pytest.approx(place, abs=0.02)  # the line begins at lambda 0
    names = page.run("[...document.querySelectorAll('#shades span')].map((one) => one.textContent)")
    assert names.count(HOSTILE) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_and_nothing_overflows_a_phone(page, scheme):
    page.look(360, 740, scheme)
    assert page.run("document.documentElement.scrollWidth") == 360
    assert page.run(CONTRAST) == []


def test_without_script_the_tables_and_figures_are_there(page, compared_sweep):
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    page.open(compared_sweep / "summary.html")
    page.call("Emulation.setScriptExecutionDisabled", value=False)
    visible = "[...document.querySelectorAll('%s')].filter((one) => one.checkVisibility()).length"
    assert page.run(visible % "#curves figure") == 4  # two pools on two scales
    assert page.run(visible % "#curves [id*=-static-]") == 14  # seven curves on each scale
    assert page.run(visible % "[data-grouping]") == 3
    assert page.run(visible % ".controls, #operating, .pick") == 0
