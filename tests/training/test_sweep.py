"""A sweep that is started again, and intervals that are refined afterwards."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import OmegaConf

from experiments.badinput import toy
from experiments.badinput.workspace import REPOSITORY, Workspace
from prefillroute.errors import UserError
from prefillroute.jobs.job import run_job
from prefillroute.jobs.plan import sweep_command
from prefillroute.jobs.status import Status, read_status
from prefillroute.reports.run_folder import has_metrics
from prefillroute.reports.run_table import read_confidence_table
from prefillroute.reports.sweep_jobs import Job
from prefillroute.routing.evaluation import evaluate
from prefillroute.routing.table import ConfidenceTable
from prefillroute.training.refine import named_jobs, refine_jobs, refine_run
from prefillroute.training.sweep import SweepSummary

THRESHOLD = 0.7
SETTINGS = {"num_resamples": 20, "grid_size": 11}


def write_run(folder: Path, overrides: tuple[str, ...], noise: float, seed: int = 3) -> ConfidenceTable:
    """A finished run folder over scores of several values and two benchmarks, with its pool's queries."""
    rng = np.random.default_rng(0)
    difficulty = rng.normal(size=(200, 3)) + np.array([-0.5, 0.0, 0.5])
    correct = np.round(1 / (1 + np.exp(-difficulty)), 1)
    guess = difficulty + noise * np.random.default_rng(seed).normal(size=difficulty.shape)
    queries = [f"q{row}" for row in range(200)]
    benchmark = np.where(difficulty[:, 0] > difficulty[:, 2], "a", "b").astype(object)
    table = ConfidenceTable(
        query_id=np.array(queries, dtype=object),
        split=np.where(np.arange(200) % 2, "test", "train_oof").astype(object),
        benchmark=benchmark,
        targets=("small", "medium", "large"),
        confidence=1 / (1 + np.exp(-guess)),
        cost_usd=np.array([0.001, 0.002, 0.008]) * rng.uniform(0.8, 1.2, size=(200, 1)),
        realised_cost_usd=np.full(correct.shape, np.nan),
        correct=correct,
        correct_threshold=THRESHOLD,
    )
    data = folder.parent / "data"
    data.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"query_id": queries, "benchmark": benchmark}).to_parquet(data / "queries.parquet")
    (folder / ".hydra").mkdir(parents=True)
    config = {
        "paths": {"data": str(folder.parent)},
        "pool": {"outcomes": "${paths.data}/data", "correct_threshold": THRESHOLD},
        "evaluation": SETTINGS,
        "seed": seed,
    }
    OmegaConf.save(config, folder / ".hydra" / "config.yaml")
    table.to_frame().to_parquet(folder / "predictions.parquet")
    metrics = {**evaluate(table, **SETTINGS, seed=seed).metrics, "fits": 18, "timings_s": {"head": 1.5}}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    Status("finished", overrides).write(folder)
    return table


def metrics_of(folder: Path) -> dict:
    return json.loads((folder / "metrics.json").read_text())


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


@pytest.fixture
def in_hydra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., list[Path]]:
    """Run `run_job` as Hydra would, in ``tmp_path / "0"``; gives the folders in which there was work to do."""

    def run(*overrides: str, mode: RunMode = RunMode.MULTIRUN) -> list[Path]:
        hydra = OmegaConf.create(
            {
                "runtime": {"output_dir": str(tmp_path / "0"), "choices": {}},
                "overrides": {"task": list(overrides)},
                "mode": mode,
            }
        )
        monkeypatch.setattr(HydraConfig, "get", lambda: hydra)
        worked: list[Path] = []
        run_job(OmegaConf.create(), worked.append, has_metrics)
        return worked

    return run


def test_a_job_of_a_sweep_that_finished_is_not_done_again(
    tmp_path: Path, in_hydra: Callable[..., list[Path]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    write_run(tmp_path / "0", ("head=a", "seed=1"), 1.0)
    before = metrics_of(tmp_path / "0")
    assert in_hydra("head=a", "seed=1") == []
    assert in_hydra("seed=1", "head=a") == []
    assert caplog.messages == ["finished earlier"] * 2
    assert metrics_of(tmp_path / "0") == before
    assert len(in_hydra("head=a", "seed=1", mode=RunMode.RUN)) == 1


@pytest.mark.parametrize("broken", ["running", "failed", "metrics", "status"])
def test_a_job_that_left_no_whole_result_is_done_again(
    tmp_path: Path, in_hydra: Callable[..., list[Path]], broken: str
) -> None:
    write_run(tmp_path / "0", ("head=a",), 1.0)
    (tmp_path / "0" / "checkpoints").mkdir()
    if broken == "metrics":
        (tmp_path / "0" / "metrics.json").write_text('{"test": {')
    elif broken == "status":
        (tmp_path / "0" / "status.json").write_text('{"state": "finished"')
    else:
        Status(broken, ("head=a",)).write(tmp_path / "0")
    assert len(in_hydra("head=a")) == 1
    assert (tmp_path / "0" / "checkpoints").exists()  # from which a stopped training goes on


def test_a_job_never_touches_the_folder_of_another(
    tmp_path: Path, in_hydra: Callable[..., list[Path]]
) -> None:
    write_run(tmp_path / "0", ("head=a",), 1.0)

    def contents() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in (tmp_path / "0").rglob("*") if path.is_file()}

    before = contents()
    with pytest.raises(
        UserError, match=r"a job with head=a where this one has head=b; leave hydra\.sweep\.subdir"
    ):
        in_hydra("head=b")
    with pytest.raises(
        UserError, match=r"run with the defaults where this one has seed=0; take another hydra\.run"
    ):
        in_hydra("head=a", "seed=0", mode=RunMode.RUN)
    assert contents() == before


@pytest.mark.parametrize("state", ["failed", "running"])
def test_a_run_takes_the_place_of_one_that_did_not_finish(
    tmp_path: Path, in_hydra: Callable[..., list[Path]], state: Literal["failed", "running"]
) -> None:
    Status(state, ("head=a",), "killed").write(tmp_path / "0")
    assert in_hydra("head=b", mode=RunMode.RUN) == [tmp_path / "0"]
    assert Status("finished", ("head=b",)) == read_status(tmp_path / "0")
    assert OmegaConf.load(tmp_path / "0" / ".hydra" / "overrides.yaml") == ["head=b"]


def test_the_command_that_goes_on_is_the_command_that_began(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["../train.py", "-m"])
    overrides = {
        "hydra": ["hydra.mode=MULTIRUN", "hydra.sweep.dir=old", "hydra.sweep.subdir=${hydra.job.num}"],
        "task": ["head=a,b", "pool.targets=[a b]"],
    }
    config = OmegaConf.create(
        {"hydra": {"overrides": overrides, "job": {"name": "train"}, "sweep": {"dir": "runs/s"}}}
    )
    assert sweep_command(config) == (
        "python ../train.py -m head=a,b 'pool.targets=[a b]' 'hydra.sweep.subdir=${hydra.job.num}' "
        "hydra.sweep.dir=runs/s"
    )
    overrides["hydra"] = []
    config.hydra.overrides = overrides
    monkeypatch.setattr(sys, "argv", ["/usr/bin/prefillroute", "train", "-m"])
    assert sweep_command(config) == "prefillroute train head=a,b 'pool.targets=[a b]' hydra.sweep.dir=runs/s"


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({"sort_by": "auc"}, "mean_auc"), ({"shown": ["auc"]}, "mean_auc"), ({"refine": -1}, "refine: .*-1")],
)
def test_a_mistake_in_the_summary_is_found_before_the_first_job(wrong: dict, named: str) -> None:
    with pytest.raises(UserError, match=named):
        SweepSummary(**wrong)


def test_a_sweep_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.data.mkdir(parents=True)
    queries = toy.queries(120)
    queries.to_parquet(workspace.data / "queries.parquet", index=False)
    toy.outcomes(queries).to_parquet(workspace.data / "outcomes.parquet", index=False)
    command = [
        sys.executable, str(REPOSITORY / "train.py"), "-m", *workspace.facts(), "signal=category",
        "head=constant,category_prior", "calibration=none,platt", "num_folds=2", "report=false",
        "evaluation.num_resamples=5", "hydra.sweep.dir=sweep", "hydra.callbacks.sweep_summary.refine=1",
        "hydra.callbacks.sweep_summary.shown=[mean_brier]",
    ]  # fmt: skip

    def sweep(*further: str) -> str:
        done = subprocess.run(
            [*command, *further], cwd=tmp_path, env=workspace.environment(), capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Warning" not in done.stderr
        return done.stdout

    first = sweep()
    assert "finished earlier" not in first
    assert f"after a stop this goes on: python {REPOSITORY / 'train.py'} -m " in first
    plan = json.loads((tmp_path / "sweep" / "sweep.json").read_text())
    assert len(plan["jobs"]) == 4
    assert plan["shown"] == ["mean_brier"]
    written = {n: (tmp_path / "sweep" / str(n) / "metrics.json").read_bytes() for n in range(4)}
    numbers = {n: json.loads(text) for n, text in written.items()}
    assert sorted(found["num_resamples"] for found in numbers.values()) == [5, 5, 1000, 1000]  # one predictor
    assert all(
        found["fits"] == 3 for found in numbers.values()
    )  # three groups, solved for all targets at once
    for n, found in numbers.items():
        if found["num_resamples"] == 5:
            refine_here(tmp_path, n, 5)  # a real run, computed again from its predictions
            assert metrics_of(tmp_path / "sweep" / str(n)) == found
            break
    # The same folder again, with a value more and the values in another order; one job was killed.
    jobs = {n: read_overrides(tmp_path / "sweep" / str(n)) for n in range(4)}
    assert [sorted(planned) for planned in plan["jobs"]] == [sorted(jobs[n]) for n in range(4)]
    Status("running", tuple(jobs[0])).write(tmp_path / "sweep" / "0")
    stamps = {n: (tmp_path / "sweep" / str(n) / "curve.parquet").stat().st_mtime_ns for n in range(4)}
    second = sweep("calibration=isotonic,platt,none")
    assert second.count("finished earlier") == 3
    assert "never began" not in second
    changed = [
        n for n in range(4)
        if (tmp_path / "sweep" / str(n) / "curve.parquet").stat().st_mtime_ns != stamps[n]
    ]  # fmt: skip
    assert changed == [0]
    assert {n: read_overrides(tmp_path / "sweep" / str(n)) for n in range(4)} == jobs
    folders = sorted(path.parent.name for path in (tmp_path / "sweep").glob("*/status.json"))
    assert folders == ["0", "1", "2", "3", "4", "5"]
    for name in folders:  # what Hydra wrote is the job's own too
        composed = OmegaConf.load(tmp_path / "sweep" / name / ".hydra" / "overrides.yaml")
        assert sorted(composed) == sorted(read_overrides(tmp_path / "sweep" / name))
    assert {"calibration=isotonic"} <= set(read_overrides(tmp_path / "sweep" / "5"))


def read_overrides(folder: Path) -> list[str]:
    return json.loads((folder / "status.json").read_text())["overrides"]


def refine_here(root: Path, number: int, num_resamples: int) -> None:
    """The run's paths are relative to the folder that its command ran in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        refine_run(root / "sweep" / str(number), num_resamples)
