"""The summary of a sweep: order, failed jobs, files."""

import io
import json
from html.parser import HTMLParser

import pandas as pd
import pytest
from rich.console import Console

from prefillroute.errors import UserError
from prefillroute.reports.sweep import is_sweep, summarise_sweep


def job(folder, overrides, *, state="finished", error=None, **test):
    folder.mkdir(parents=True)
    (folder / "status.json").write_text(
        json.dumps({"state": state, "overrides": overrides, "error": error}), encoding="utf-8"
    )
    if test:
        intervals = (
            {"mean_auc": [test["mean_auc"] - 0.01, test["mean_auc"] + 0.01]} if test.get("mean_auc") else {}
        )
        metrics = {"test": test, "targets": {"a": {"auc": 0.6}}, "intervals": intervals}
        (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")


@pytest.fixture
def sweep(tmp_path):
    job(tmp_path / "0", ["encoder=a", "seed=0"], mean_auc=0.65, mean_brier=0.20)
    job(tmp_path / "1", ["encoder=b", "seed=0"], mean_auc=0.70, mean_brier=0.21)
    job(tmp_path / "2", ["encoder=c", "seed=0"], mean_auc=None, mean_brier=0.19)
    job(tmp_path / "9", ["encoder=d", "seed=0"], state="failed", error="caches/d.h5: missing;\nrun extract")
    job(tmp_path / "10", ["encoder=e", "seed=0"], state="running")
    return tmp_path


def printed(folder, **options):
    stream = io.StringIO()
    failed = summarise_sweep(folder, console=Console(file=stream, width=160), **options)
    return failed, stream.getvalue()


def test_best_first_null_last_and_failed_with_their_reason(sweep):
    failed, text = printed(sweep)
    assert failed == 2
    frame = pd.read_csv(sweep / "summary.csv", dtype={"folder": str})
    assert list(frame["folder"]) == ["1", "0", "2", "9", "10"]
    assert list(frame["state"]) == ["finished"] * 3 + ["failed"] * 2
    assert frame.loc[0, "mean_auc_low"] == pytest.approx(0.69)
    assert "seed" not in frame.columns  # the same in every job
    assert "failed: encoder=d: caches/d.h5: missing; run extract" in text.splitlines()
    assert any(line.startswith("failed: encoder=e: still marked as running") for line in text.splitlines())
    assert "[0.690, 0.710]" in text


def test_lower_is_better_where_it_is(sweep):
    printed(sweep, sort_by="mean_brier")
    frame = pd.read_csv(sweep / "summary.csv", dtype={"folder": str})
    assert list(frame["folder"])[:3] == ["2", "0", "1"]


def test_page_opens_offline_and_escapes(sweep):
    job(sweep / "11", ["encoder=<b>&"], state="failed", error="found <script>")
    (sweep / "1" / "report.html").write_text("x", encoding="utf-8")
    printed(sweep)
    page = (sweep / "summary.html").read_text(encoding="utf-8")
    HTMLParser().feed(page)
    assert "http" not in page
    assert "<script" not in page
    assert 'href="1/report.html"' in page
    assert 'href="0/report.html"' not in page


def test_only_failed_jobs(tmp_path):
    job(tmp_path / "0", ["encoder=a"], state="failed", error="no cache")
    assert printed(tmp_path) == (1, "failed: encoder=a: no cache\n")


def test_finished_job_with_cut_metrics_counts_as_failed(sweep):
    (sweep / "0" / "metrics.json").write_text('{"test": {"mean', encoding="utf-8")
    failed, text = printed(sweep)
    assert failed == 3
    assert "metrics.json" in text


@pytest.mark.parametrize(
    ("folder", "sort_by", "named"),
    [("absent", "mean_auc", "absent"), (".", "mean_auc", "no job"), (".", "accuracy", "mean_auc")],
)
def test_mistakes_are_named(tmp_path, folder, sort_by, named):
    with pytest.raises(UserError, match=named):
        summarise_sweep(tmp_path / folder, sort_by=sort_by)


def test_a_sweep_is_told_from_a_run(sweep, tmp_path_factory, finished_run):
    assert is_sweep(sweep)
    assert not is_sweep(sweep / "0")
    assert not is_sweep(finished_run)
    assert not is_sweep(tmp_path_factory.mktemp("empty"))
    assert not is_sweep(sweep / "absent")


def test_jobs_with_long_overrides_fit_a_narrow_terminal(tmp_path):
    job(tmp_path / "0", ["layers.layers=[18,19,20,21]", "head=a"], mean_auc=0.6)
    job(tmp_path / "1", ["layers.layers=[18]", "head=b"], mean_auc=0.7)
    stream = io.StringIO()
    assert summarise_sweep(tmp_path, console=Console(file=stream, width=60)) == 0
    assert max(len(line) for line in stream.getvalue().splitlines()) <= 60
