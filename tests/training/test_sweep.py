"""A sweep that is started again: finished jobs are kept, all others are done anew."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

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
from prefillroute.training.refine import refine_run
from prefillroute.training.sweep import SweepSummary
from tests.training.toy_runs import metrics_of, write_run


@pytest.fixture
def in_hydra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., list[Path]]:
    """Run `run_job` as Hydra would, in ``tmp_path / "0"``; gives the folders in which there was work to do.

    The configuration is that of the folder, if there is one, but for what is `changed`.
    """

    def run(*overrides: str, mode: RunMode = RunMode.MULTIRUN, **changed: object) -> list[Path]:
        hydra = OmegaConf.create(
            {
                "runtime": {"output_dir": str(tmp_path / "0"), "choices": {}},
                "overrides": {"task": list(overrides)},
                "mode": mode,
            }
        )
        monkeypatch.setattr(HydraConfig, "get", lambda: hydra)
        worked: list[Path] = []

        def work(folder: Path) -> list[Path]:
            worked.append(folder)
            return []

        written = tmp_path / "0" / ".hydra" / "config.yaml"
        config = OmegaConf.load(written) if written.exists() else OmegaConf.create()
        run_job(OmegaConf.merge(config, OmegaConf.create(changed)), work, has_metrics)
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
    with pytest.raises(
        UserError, match=r"0: .* finished with seed=3 where it is 4 now; take another hydra\.sweep\.dir"
    ):
        in_hydra("head=a", "seed=1", seed=4)
    assert in_hydra("head=a", "seed=1", threads=7) == []  # which changes no number
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
