"""Intervals of a sweep's best jobs that are refined after the sweep."""

from pathlib import Path

import numpy as np
import pytest

from prefillroute.reports.run_table import read_confidence_table
from prefillroute.reports.sweep_jobs import Job
from prefillroute.training.refine import named_jobs, refine_jobs, refine_run
from tests.training.toy_runs import SETTINGS, metrics_of, write_run


def test_the_same_resamples_give_the_same_numbers_again(tmp_path: Path) -> None:
    table = write_run(tmp_path / "run", (), noise=1.0)
    before = metrics_of(tmp_path / "run")
    again = read_confidence_table(tmp_path / "run")
    np.testing.assert_array_equal(again.benchmark, table.benchmark)
    refine_run(tmp_path / "run", SETTINGS["num_resamples"])
    assert metrics_of(tmp_path / "run") == before
    # neither benchmark nor threshold may be a default here, or the line above shows little
    assert before["test"]["per_benchmark_best_accuracy"] != before["test"]["best_single_accuracy"]
    assert (table.labels != (table.correct >= 0.5)).any()


def test_more_resamples_change_the_intervals_alone(tmp_path: Path) -> None:
    write_run(tmp_path / "run", (), noise=1.0)
    before = metrics_of(tmp_path / "run")
    refine_run(tmp_path / "run", 60)
    after = metrics_of(tmp_path / "run")
    assert after["num_resamples"] == 60
    assert {key for key in before if after[key] != before[key]} == {"num_resamples", "intervals"}
    assert not [path for path in (tmp_path / "run").iterdir() if path.name.endswith(".partial")]


def test_best_and_named_jobs_are_refined_once(tmp_path: Path) -> None:
    for number, (name, noise) in enumerate({"good": 0.3, "x_knn": 1.0, "constant": 9.0, "bad": 9.0}.items()):
        write_run(tmp_path / str(number), (f"experiment/semantic={name}",), noise)
    assert refine_jobs(tmp_path, "mean_auc", 1, ["constant"], num_resamples=40) == 2
    assert [metrics_of(tmp_path / str(n))["num_resamples"] for n in range(4)] == [40, 20, 40, 20]
    # what a stop left undone, and nothing else, is done the next time
    assert refine_jobs(tmp_path, "mean_auc", 2, ["constant"], num_resamples=40) == 1
    assert [metrics_of(tmp_path / str(n))["num_resamples"] for n in range(4)] == [40, 40, 40, 20]
    assert refine_jobs(tmp_path, "mean_auc", 2, ["constant"], num_resamples=40) == 0


def test_the_best_are_predictors_under_each_of_their_calibrations(tmp_path: Path) -> None:
    jobs = [(name, way) for name in ("good", "fair", "bad") for way in ("platt", "none")]
    for number, (name, way) in enumerate(jobs):
        noise = {"good": 0.3, "fair": 1.0, "bad": 9.0}[name]
        write_run(tmp_path / str(number), (f"experiment/semantic={name}", f"calibration={way}"), noise)
    assert refine_jobs(tmp_path, "mean_auc", 2, num_resamples=40) == 4
    assert [metrics_of(tmp_path / str(n))["num_resamples"] for n in range(6)] == [40, 40, 40, 40, 20, 20]


def test_a_job_that_cannot_be_refined_keeps_its_numbers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_run(tmp_path / "0", ("experiment/semantic=a",), 0.3)
    write_run(tmp_path / "1", ("experiment/semantic=b",), 1.0)
    before = metrics_of(tmp_path / "0")
    (tmp_path / "0" / "predictions.parquet").write_bytes(b"PAR1")
    assert refine_jobs(tmp_path, "mean_auc", 2, num_resamples=40) == 1
    assert "predictions.parquet" in caplog.text
    assert metrics_of(tmp_path / "0") == before


def test_a_name_is_a_value_or_else_a_part_of_one(caplog: pytest.LogCaptureFixture) -> None:
    values = ("prefill", "union_prefill_emb", "1_vote_k25", "1_vote_k50")
    jobs = [Job(value, {"experiment/semantic": value}) for value in values] + [Job("other", {"head": "vote"})]

    def named(*names: str) -> list[str]:
        return [found.folder for found in named_jobs(jobs, names)]

    assert named("prefill") == ["prefill"]
    assert named("vote") == ["1_vote_k25", "1_vote_k50"]
    assert named("prefill", "_emb") == ["prefill", "union_prefill_emb"]
    assert named("deberta") == []
    assert "deberta" in caplog.text
