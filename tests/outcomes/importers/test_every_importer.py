"""What holds for every importer: found by walking `outcomes/importers/layouts`, so for new ones too."""

import argparse
import importlib
import inspect
from pathlib import Path

import pytest

from prefillroute.cli.main import main, make_parser
from prefillroute.errors import UserError
from prefillroute.outcomes import importers
from prefillroute.outcomes.files import read_outcomes
from prefillroute.outcomes.importers import layouts
from prefillroute.outcomes.importers.collector import Collector
from prefillroute.outcomes.importers.contract import Given, importer_of
from prefillroute.outcomes.importers.layout import Layout, known_layouts
from tests.shipped import add_module

LAYOUTS = known_layouts()


def importer(layout: Layout):
    return importer_of(layout, importlib.import_module(f"{importers.__name__}.{layout.reader}"))


def parser_of(name: str) -> argparse.ArgumentParser:
    _, commands = make_parser()
    (action,) = (
        action for action in commands["import"]._actions if isinstance(action, argparse._SubParsersAction)
    )
    return action.choices[name]


@pytest.mark.parametrize("name", LAYOUTS)
def test_its_help_is_what_it_says_of_itself(name: str) -> None:
    layout = LAYOUTS[name]
    text = parser_of(name).format_help()
    words = " ".join(text.split())
    assert f"Import {layout.what}." in words
    assert layout.details.rstrip() in text
    for option in layout.options:
        assert f"--{option.name}" in words
        assert " ".join(option.help.split()) in words
    assert (layout.folder is None) or f"(default data/{layout.folder})" in words


@pytest.mark.parametrize("name", LAYOUTS)
def test_its_reader_takes_its_options(name: str) -> None:
    """By the same names, with the defaults of the command line; a shape may take more than a layout offers."""
    layout = LAYOUTS[name]
    signature = inspect.signature(importer(layout).read)
    own = [
        each for each in signature.parameters.values() if each.name not in ("given", "collector", "advance")
    ]
    stated = {parameter.name: parameter.default for parameter in own}
    offered = {option.argument: () if option.many else option.default for option in layout.options}
    assert offered.items() <= stated.items()
    assert layout.names is not None or offered == stated


@pytest.mark.parametrize("name", LAYOUTS)
def test_an_empty_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"^{tmp_path}: expected .*, found "):
        importer(LAYOUTS[name]).find(tmp_path)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_file_named_twice_is_read_once_and_rubbish_is_said(name: str, tmp_path: Path) -> None:
    pytest.importorskip("inspect_ai")
    file = tmp_path / "rubbish.json"
    file.write_text('{"neither": "fish"', encoding="utf-8")
    given = Given.at([file, file], importer(LAYOUTS[name]).find)
    assert given.files == [file]
    collector = Collector()
    said = ""
    try:
        importer(LAYOUTS[name]).read(given, collector, lambda size: None)
    except UserError as error:
        said = str(error)
    skipped = [entry.example for entry in collector.skipped.values()]
    assert said.startswith(f"{file}: ") or skipped == [str(file)]
    assert collector.frames()[1].empty


TOY_LAYOUT = """
from prefillroute.outcomes.importers.layout import Layout, Option

LAYOUT = Layout(
    what="lines of target=score",
    details="One line per outcome.",
    reader="toy_lines",
    options=(Option("prompt", "TEXT", "what all were asked"),),
)
"""
TOY_READER = """
def find(path):
    return [path]


def read(given, collector, advance, prompt=None):
    query = {"query_id": "q", "benchmark": "toy", "category": "toy", "prompt": prompt}
    for file in given.files:
        for number, line in enumerate(file.read_text().splitlines()):
            target, _, score = line.partition("=")
            collector.add(query, target, f"{file}: {number}", float(score))
"""


def test_a_new_one_is_a_layout_and_a_reader(tmp_path, monkeypatch, capsys) -> None:
    for folder in ("layouts", "readers"):
        (tmp_path / folder).mkdir()
    add_module(monkeypatch, tmp_path / "layouts", layouts, "my_lines", TOY_LAYOUT)
    add_module(monkeypatch, tmp_path / "readers", importers, "toy_lines", TOY_READER)
    (tmp_path / "scores.txt").write_text("small=0\nlarge=1\n")
    words = [
        "import",
        "my-lines",
        str(tmp_path / "scores.txt"),
        "--out",
        str(tmp_path / "out"),
        "--prompt",
        "What?",
    ]
    assert main(words) == 0
    outcomes = read_outcomes(tmp_path / "out")
    assert dict(zip(outcomes.targets, outcomes.correct[0], strict=True)) == {"small": 0.0, "large": 1.0}
    assert outcomes.queries["prompt"].tolist() == ["What?"]
    assert "--prompt ''What?''" in (tmp_path / "out" / "pool.yaml").read_text()  # quoted in YAML
    with pytest.raises(SystemExit):
        main(["import", "--help"])
    assert "my-lines lines of target=score" in " ".join(capsys.readouterr().out.split())
