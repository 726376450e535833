"""`prefillroute report`, by its own parser."""

import argparse
import json

from prefillroute.cli import report


def call(*arguments):
    parser = argparse.ArgumentParser()
    report.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["report", *map(str, arguments)])
    return parsed.run(parsed)


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
