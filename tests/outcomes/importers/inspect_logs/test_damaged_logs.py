"""Runs that ended early, damaged files, and nothing to read."""

import importlib
import json
import os
import signal
import zipfile
from types import ModuleType

import anyio
import pytest
from inspect_ai.solver import generate, solver

from prefillroute.cli.main import main
from prefillroute.errors import UserError
from prefillroute.outcomes.importers import inspect_logs

# Inspect drops streams of its own unclosed; what is left of them must not be found during another file's tests.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Unclosed <MemoryObject:ResourceWarning",
    "ignore:Exception ignored in. <function MemoryObject:pytest.PytestUnraisableExceptionWarning",
)


@pytest.fixture
def ctrl_c_works():
    """A process that a shell put into the background was told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_works")
def test_cancelled_and_killed_runs(tmp_path, evaluate, imported, model):
    @solver
    def pressed_ctrl_c_at_the_third():
        async def solve(state, generate):
            if state.sample_id == "three":
                os.kill(os.getpid(), signal.SIGINT)
                await anyio.sleep(60)
            return state

        return solve

    log = evaluate(model(), solvers=[generate(), pressed_ctrl_c_at_the_third()])
    collector, _, outcomes = imported(log)
    assert outcomes["correct"].tolist() == [1, 0]
    assert collector.notes == [f"{log.name}: the run's status is 'cancelled'; its 2 scored samples are taken"]
    killed = tmp_path / "killed.eval"  # a killed run leaves its journal and no header
    with zipfile.ZipFile(log) as whole, zipfile.ZipFile(killed, "w") as rest:
        for member in whole.namelist():
            if member not in ("header.json", "summaries.json", "reductions.json"):
                rest.writestr(member, whole.read(member))
    collector, _, outcomes = imported(killed)
    assert outcomes["correct"].tolist() == [1, 0]
    assert "status is 'started'" in collector.notes[0]


def test_damaged_logs_do_not_take_the_others_with_them(tmp_path, evaluate, imported, model, edited, skipped):
    log = evaluate(model())
    folder = log.parent
    whole = log.read_bytes()
    (folder / "half.eval").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.eval").write_bytes(b"")
    with zipfile.ZipFile(folder / "other.eval", "w") as archive:
        archive.writestr("a.txt", "x")
    start = whole.find(b"samples/two_epoch_1.json") + 100
    evaluate(model("b"))
    damaged = folder / "damaged.eval"
    damaged.write_bytes(whole[:start] + bytes(50) + whole[start + 50 :])
    text = edited(log, tmp_path / "whole.json", lambda content: None).read_text()
    (folder / "half.json").write_text(text[: len(text) // 2])
    (folder / "newer.json").write_text(text.replace('"version": 2', '"version": 9', 1))
    (folder / "list.json").write_text("[1]")
    collector, _, outcomes = imported(folder)
    assert len(outcomes) == 6
    found = skipped(collector)
    assert found.pop("sample that could not be read") == 1
    assert found.pop("sample that a newer log of the task and target has") == 2
    assert found.pop("JSON file that is no log of Inspect") == 1
    for name, message in (
        ("half.eval", "not a whole zip file"),
        ("empty.eval", "not a whole zip file"),
        ("other.eval", "_journal/start.json"),
        ("half.json", "EOF"),
        ("newer.json", "version 9"),
    ):
        (reason,) = (reason for reason in found if reason.startswith(f"{name} could not be read"))
        assert message in reason
        assert "\n" not in reason
    assert len(found) == 5


@pytest.mark.parametrize("nulls", ["sample", "sample and results"])
def test_scores_that_json_logs_hold_as_null(tmp_path, evaluate, imported, model, edited, skipped, nulls):
    content = json.loads(edited(evaluate(model()), tmp_path / "whole.json", lambda content: None).read_text())
    (name,) = content["samples"][1]["scores"]
    content["samples"][1]["scores"][name]["value"] = None
    if nulls == "sample and results":
        content["results"]["scores"][0]["metrics"]["accuracy"]["value"] = None
    (tmp_path / "null.json").write_text(json.dumps(content))
    collector, queries, outcomes = imported(tmp_path / "null.json")
    assert list(outcomes["query_id"]) == ["toy/one", "toy/two"]  # Inspect sorts a JSON log's samples by name
    assert outcomes["correct"].tolist() == [1, 0]
    assert skipped(collector) == {f"sample without a score of '{name}'": 1}
    assert len(queries) == 2


def test_a_damaged_sample_of_a_json_log_does_not_take_the_others_with_it(
    tmp_path, evaluate, imported, model, edited, skipped
):
    content = json.loads(edited(evaluate(model()), tmp_path / "whole.json", lambda content: None).read_text())
    content["samples"][0]["input"] = 3
    content["samples"][1]["input"] = "half an emoji \ud83d"
    (tmp_path / "bad.json").write_text(json.dumps(content))
    collector, _, outcomes = imported(tmp_path / "bad.json")
    assert list(outcomes["query_id"]) == ["toy/two"]
    assert skipped(collector) == {"sample that could not be read": 2}


def test_newer_version_of_a_zip(tmp_path, evaluate, imported, model):
    log = tmp_path / "newer.eval"
    with zipfile.ZipFile(evaluate(model())) as old, zipfile.ZipFile(log, "w") as new:
        new.writestr("header.json", old.read("header.json").replace(b'"version":2', b'"version":9', 1))
    (reason,) = imported(log)[0].skipped
    assert reason.startswith(
        "newer.eval could not be read (version 9 of the log format; this inspect-ai reads up to 2"
    )


def test_nothing_to_read(tmp_path, capsys):
    (tmp_path / "package.json").write_text("{}")
    assert main(["import", "inspect", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert (
        f"found none that could be read (JSON file that is no log of Inspect: 1, the first: {tmp_path}"
        in said
    )
    assert main(["import", "inspect", str(tmp_path / "package.json"), "--out", "out", "--target", "=x"]) == 1
    assert "--target: expected OLD=NEW, found =x" in capsys.readouterr().err
    (tmp_path / "package.json").unlink()
    with pytest.raises(UserError, match=r"expected .eval or .json files, found no log of Inspect"):
        inspect_logs.find(tmp_path)


def test_without_inspect_one_line_says_what_to_install(tmp_path, monkeypatch, capsys):
    import_module = importlib.import_module

    def no_module(name: str) -> ModuleType:
        if name.startswith("inspect_ai"):
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return import_module(name)

    (tmp_path / "a.json").write_text(json.dumps({"version": 2, "status": "success"}))
    monkeypatch.setattr(inspect_logs.importlib, "import_module", no_module)
    assert main(["import", "inspect", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    printed = capsys.readouterr().err.strip()
    assert "run pip install 'prefillroute[harness]'" in printed
    assert "\n" not in printed
