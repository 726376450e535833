"""`prefillroute report`."""

import json

from prefillroute.cli.main import run_command


def call(*arguments):
    return run_command(["report", *map(str, arguments)])


def test_run_folder(run_folder, capsys):
    folder = run_folder()
    assert call(folder) == 0
    assert capsys.readouterr().out.strip() == str(folder / "report.html")
    assert (folder / "report.html").exists()


def test_sweep_folder(tmp_path, capsys):
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "status.json").write_text(
        json.dumps({"state": "failed", "overrides": ["a=1"], "error": "no cache"})
    )
    assert call(tmp_path, "--sort-by", "hull_gain") == 0
    assert "failed: a=1: no cache" in capsys.readouterr().out
    assert (tmp_path / "summary.html").exists()
