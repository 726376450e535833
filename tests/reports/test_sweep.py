"""The summary of a sweep: order, failed jobs, files."""

import io
import json
from html.parser import HTMLParser

import pandas as pd
import pytest

from prefillroute.errors import UserError
from prefillroute.reports.sweep import is_sweep, summarise_sweep
from prefillroute.text.screen import Screen


def job(folder, overrides, *, state="finished", error=None, extra=None, **test):
    folder.mkdir(parents=True)
    (folder / "status.json").write_text(
        json.dumps({"state": state, "overrides": overrides, "error": error}), encoding="utf-8"
    )
    if test:
        intervals = (
            {"mean_auc": [test["mean_auc"] - 0.01, test["mean_auc"] + 0.01]} if test.get("mean_auc") else {}
        )
        metrics = {"test": test, "targets": {"a": {"auc": 0.6}}, "intervals": intervals, **(extra or {})}
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
    failed = summarise_sweep(folder, screen=Screen(file=stream, columns=160), **options)
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
    assert "failed: encoder=e: was killed, or its machine went away" in text.splitlines()
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
    assert "http:" not in page
    assert "https:" not in page
    assert page.count("<script") == 2  # its own data and script
    assert "<b>&" not in page
    assert 'href="1/report.html"' in page
    assert 'href="0/report.html"' not in page


def test_only_failed_jobs(tmp_path):
    job(tmp_path / "0", ["encoder=a"], state="failed", error="no cache")
    failed, text = printed(tmp_path)
    assert failed == 1
    assert text.splitlines() == [
        "failed: encoder=a: no cache",
        f"to go on: the sweep's command with hydra.sweep.dir={tmp_path}",
    ]


def test_finished_job_with_cut_metrics_counts_as_failed(sweep):
    (sweep / "0" / "metrics.json").write_text('{"test": {"mean', encoding="utf-8")
    failed, text = printed(sweep)
    assert failed == 3
    assert "metrics.json" in text


@pytest.mark.parametrize(
    ("folder", "sort_by", "named"),
    [("absent", "mean_auc", "absent"), (".", "mean_auc", "found none"), (".", "accuracy", "mean_auc")],
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
    assert summarise_sweep(tmp_path, screen=Screen(file=stream, columns=60)) == 0
    assert max(len(line) for line in stream.getvalue().splitlines()) <= 60


def plan(folder, **entries):
    entries = {"command": "python train.py -m encoder=a,b", "jobs": None, "shown": []} | entries
    (folder / "sweep.json").write_text(json.dumps(entries), encoding="utf-8")


def test_missing_jobs_are_counted_and_the_command_is_the_last_word(sweep):
    began = [[f"encoder={name}", "seed=0"] for name in "abcde"]
    plan(sweep, jobs=[*began, *(["seed=0", f"encoder={name}"] for name in "xyz")])
    failed, text = printed(sweep)
    assert failed == 2 + 3
    assert text.splitlines()[-2:] == ["3 jobs never began", "to go on: python train.py -m encoder=a,b"]
    assert "3 jobs never began" in (sweep / "summary.html").read_text(encoding="utf-8")


def test_a_job_that_never_began_is_missed_beside_jobs_of_earlier_commands(sweep):
    plan(sweep, jobs=[["encoder=a", "seed=0"], ["encoder=new", "seed=0"]])
    failed, text = printed(sweep)
    assert failed == 2 + 1
    assert "1 job never began" in text.splitlines()


def test_a_whole_sweep_does_not_say_how_to_go_on(sweep):
    for folder in ("9", "10"):
        (sweep / folder / "status.json").unlink()
        (sweep / folder).rmdir()
    plan(sweep, jobs=[["seed=0", f"encoder={name}"] for name in "cab"])
    assert printed(sweep)[0] == 0
    assert "to go on" not in printed(sweep)[1]
    assert "To go on" not in (sweep / "summary.html").read_text(encoding="utf-8")


def test_a_plan_that_was_cut_off_is_no_mistake(sweep):
    (sweep / "sweep.json").write_text('{"command": "python', encoding="utf-8")
    assert "hydra.sweep.dir=" in printed(sweep)[1].splitlines()[-1]


def test_the_plan_chooses_the_columns(sweep):
    plan(sweep, shown=["mean_brier", "p_auccc"])
    header = "".join(printed(sweep)[1].splitlines()[2:4])
    for label in ("Mean AUC", "Mean Brier", "P-AUCCC"):  # what orders the jobs is always shown
        assert label in header
    assert "Relative AUC" not in header
    plan(sweep, shown=["mean_bier"])
    with pytest.raises(UserError, match=r"mean_brier.*mean_bier"):
        printed(sweep)


def semantic_job(folder, predictor, calibration, head, fits, seconds, evaluation, auc=0.6):
    timings = {"outcomes": 1.0, "features": seconds, "head": 2 * seconds, "evaluation": evaluation}
    job(
        folder, [f"experiment/semantic={predictor}", f"calibration={calibration}"], mean_auc=auc,
        extra={"fits": fits, "timings_s": timings, "num_resamples": 200},
    )  # fmt: skip
    (folder / ".hydra").mkdir()
    choices = f"hydra:\n  runtime:\n    choices:\n      head: {head}\n"
    (folder / ".hydra" / "hydra.yaml").write_text(choices, encoding="utf-8")


def test_families_count_a_predictor_once_under_all_its_calibrations(tmp_path):
    semantic_job(tmp_path / "0", "3_knn_lr", "none", "logistic", 6, 10.0, 1.0, auc=0.65)
    semantic_job(tmp_path / "1", "3_knn_lr", "platt", "logistic", 6, 10.0, 2.0)
    semantic_job(tmp_path / "2", "5_emb_lr", "none", "logistic", 6, 100.0, 4.0)
    semantic_job(tmp_path / "3", "5_emb_mt", "none", "multi_task", 180, 1000.0, 8.0)
    job(tmp_path / "4", ["experiment/semantic=x", "calibration=none"], state="failed", error="no cache")
    text = printed(tmp_path)[1]
    rows = [line.split("│")[1:-1] for line in text.splitlines() if line.count("│") == 7]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["logistic", "3", "2", "12", "5 min 30 s", "7.00 s"],
        ["multi_task", "1", "1", "180", "50 min 00 s", "8.00 s"],
        ["all", "4", "3", "192", "55 min 30 s", "15.0 s"],
    ]
    page = (tmp_path / "summary.html").read_text(encoding="utf-8")
    assert "<td>5 min 30 s</td>" in page
    frame = pd.read_csv(tmp_path / "summary.csv")
    assert list(frame["family"].dropna()) == ["logistic", "logistic", "logistic", "multi_task"]
    assert list(frame["fits"].dropna()) == [6, 6, 6, 180]
    assert list(frame["training_s"].dropna()) == [30, 30, 300, 3000]


def test_a_sweep_over_something_else_has_no_families(sweep):
    assert "families" not in printed(sweep)[1]
    assert "Families" not in (sweep / "summary.html").read_text(encoding="utf-8")


def test_unequal_resamples_are_said(tmp_path):
    job(tmp_path / "0", ["head=a"], mean_auc=0.6, extra={"num_resamples": 1000})
    job(tmp_path / "1", ["head=b"], mean_auc=0.5, extra={"num_resamples": 200})
    job(tmp_path / "2", ["head=c"], mean_auc=0.4, extra={"num_resamples": 200})
    said = "Intervals from 1,000 resamples in 1 job and 200 resamples in 2 jobs."
    assert said in printed(tmp_path)[1].splitlines()
    assert said in (tmp_path / "summary.html").read_text(encoding="utf-8")
    assert list(pd.read_csv(tmp_path / "summary.csv")["num_resamples"]) == [1000, 200, 200]
