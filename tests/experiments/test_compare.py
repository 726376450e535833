"""The whole command, with a stand-in for train.py that writes a finished run."""

import subprocess
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from omegaconf import OmegaConf

from experiments import compare
from experiments.comparing import training
from experiments.comparing.grid import Choice
from experiments.comparing.reuse import GridRuns
from experiments.comparing.training import Job, pool_jobs, train
from prefillroute.config.compose import compose_run
from prefillroute.errors import UserError
from prefillroute.jobs.status import Status


@pytest.fixture
def trained(monkeypatch, tables, make_run):
    """Commands that were run; one whose router is in `trained.fails` fails."""
    seen = SimpleNamespace(commands=[], fails=set())

    def run(command, check):
        overrides = tuple(command[2:-1])
        folder = Path(command[-1].removeprefix("hydra.run.dir="))
        seen.commands.append(overrides)
        if folder.name in seen.fails:
            return subprocess.CompletedProcess(command, 1)
        table = tables.get(folder.name, tables["near"])
        make_run(folder, table, overrides)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(training.subprocess, "run", run)
    return seen


@pytest.fixture
def conf(tmp_path, monkeypatch):
    """conf/ with four predictors."""
    folder = tmp_path / "conf" / "experiment" / "semantic"
    folder.mkdir(parents=True)
    for name in ("near", "far", "union_a", "blend_b", "prefill"):
        (folder / f"{name}.yaml").touch()
    monkeypatch.setattr(compare, "conf_dir", lambda: tmp_path / "conf")


def test_the_jobs_of_a_pool() -> None:
    choices = [Choice("u_emb_mt", "isotonic"), Choice("union_a")]
    jobs = pool_jobs("zeroeval", "prefill", choices, Path("out"), ["threads=1"])
    assert [job.overrides for job in jobs] == [
        ("signal=prefill", "head=shared_trunk", "pool=zeroeval", "threads=1"),
        ("experiment=semantic/u_emb_mt", "calibration=isotonic", "pool=zeroeval", "threads=1"),
        ("experiment=semantic/union_a", "pool=zeroeval", "threads=1"),
    ]
    assert jobs[1].command[1:] == [
        str(training.TRAIN), *jobs[1].overrides, "hydra.run.dir=out/zeroeval/u_emb_mt",
    ]  # fmt: skip
    assert training.TRAIN.is_file()


def test_finished_runs_are_kept_and_others_are_not(tmp_path, trained) -> None:
    job = Job("far", ("experiment=semantic/far", "pool=six"), tmp_path / "far")
    assert train(job)
    assert train(job)
    assert len(trained.commands) == 1
    job = Job("far", ("experiment=semantic/far", "calibration=none", "pool=six"), tmp_path / "far")
    (tmp_path / "far" / "checkpoints").mkdir()
    assert train(job)  # of another definition
    assert len(trained.commands) == 2
    assert not (tmp_path / "far" / "checkpoints").exists()


def test_a_stopped_run_keeps_its_checkpoints(tmp_path, monkeypatch) -> None:
    job = Job("far", ("pool=six",), tmp_path / "far")
    Status("running", job.overrides).write(job.folder)
    (job.folder / "checkpoints").mkdir()
    monkeypatch.setattr(
        training.subprocess, "run", lambda command, check: subprocess.CompletedProcess(command, 1)
    )
    assert not train(job)
    assert (job.folder / "checkpoints").exists()


def test_grid_to_page(tmp_path, trained, conf, tables, make_run, capsys, read_csv) -> None:
    for number, (name, table) in enumerate(tables.items()):
        overrides = (f"experiment/semantic={name}", "calibration=percentile")
        make_run(tmp_path / "grid" / f"{number}", table, overrides, pool="grids")
    out = tmp_path / "out"
    command = ["--grid", str(tmp_path / "grid"), "--best", "1", "--out", str(out), "--resamples", "20"]
    command += ["--pools", "six", "all"]
    assert compare.main(command) == 0
    assert trained.commands[:4] == [
        ("signal=prefill", "head=shared_trunk", "pool=six", "split=calibrated"),
        ("experiment=semantic/near", "calibration=percentile", "pool=six", "split=calibrated"),
        ("experiment=semantic/blend_b", "pool=six", "split=calibrated"),
        ("experiment=semantic/union_a", "pool=six", "split=calibrated"),
    ]
    assert len(trained.commands) == 8
    printed = capsys.readouterr().out
    assert "all: prefill minus the other" in printed
    assert "near under percentile" in printed
    frame = read_csv(out / "comparison.csv")
    assert len(frame) == 2 * 4 * len(compare.TABLES_4_TO_6)
    assert frame.loc[("all", "near", "mean_auc"), "prefill_minus_it"] > 0
    page = (out / "comparison.html").read_text(encoding="utf-8")
    HTMLParser().feed(page)
    assert "http" not in page
    assert page.count("<svg") == 2
    assert "near under percentile" in page
    for pool in ("six", "all"):
        assert (out / "figures" / f"forest-{pool}.png").read_bytes().startswith(b"\x89PNG")
    assert compare.main(command[:-1]) == 0
    assert len(trained.commands) == 8  # nothing is trained twice


def test_a_grids_run_serves_where_it_is_of_the_same(tmp_path, tables, make_run) -> None:
    pool = ("pool=mmlu_pro_six", "split=calibrated")
    composed = compose_run(
        ["experiment=semantic/u_emb_mt", "evaluation.num_resamples=7", "report=false", *pool]
    )
    for number, calibration in enumerate(("isotonic", "platt")):
        overrides = ("experiment/semantic=u_emb_mt", f"calibration={calibration}")
        folder = make_run(tmp_path / f"{number}", tables["near"], overrides)
        config = composed if calibration == "platt" else compose_run(["calibration=isotonic", *pool])
        OmegaConf.save(config, folder / ".hydra" / "config.yaml")
    grid = GridRuns(tmp_path)

    def found(*overrides: str, name: str = "u_emb_mt", pool: str = "mmlu_pro_six") -> Path | None:
        own = ("experiment=semantic/u_emb_mt", f"pool={pool}", "split=calibrated", *overrides)
        return grid.find(Job(name, own, tmp_path / "out"), pool)

    assert found() == tmp_path / "1"
    assert found("evaluation.num_resamples=5") == tmp_path / "1"
    for other in ("seed=1", "head.num_classes=4", "trainer.patience=3", "pool.max_queries=9"):
        assert found(other) is None, other
    assert found(name="prefill") is None
    assert found(pool="mmlu_pro_all") is None


def test_what_failed_is_said_and_the_rest_is_compared(tmp_path, trained, conf, capsys, read_csv) -> None:
    trained.fails = {"far"}
    command = ["--semantic", "near:platt", "far", "--extra", "--pools", "six", "--resamples", "5", "--out"]
    assert compare.main([*command, str(tmp_path / "out")]) == 1
    assert "six: far failed" in capsys.readouterr().out
    frame = read_csv(tmp_path / "out" / "comparison.csv")
    assert set(frame.index.get_level_values("router")) == {"prefill", "near"}
    assert "six: far failed" in (tmp_path / "out" / "comparison.html").read_text(encoding="utf-8")


def test_without_the_reference_a_pool_is_left_out(tmp_path, trained, conf, capsys) -> None:
    trained.fails = {"prefill"}
    command = ["--semantic", "near", "--extra", "--pools", "six", "all", "--out", str(tmp_path / "out")]
    assert compare.main([*command, "--split", "stratified"]) == 1
    assert [overrides[-2:] for overrides in trained.commands] == [
        ("pool=six", "split=stratified"), ("pool=all", "split=stratified"),
    ]  # fmt: skip
    assert not (tmp_path / "out" / "comparison.html").exists()


@pytest.mark.parametrize(
    ("command", "named"), [([], "--grid"), (["--semantic", "naer"], "blend_b, far, near, union_a")]
)
def test_mistakes_are_found_before_anything_is_trained(conf, trained, command, named) -> None:
    with pytest.raises(UserError, match=named):
        compare.main(command)
    assert trained.commands == []


def test_only_predictors_that_read_no_prefill_are_chosen_from_a_grid() -> None:
    names = ("u_emb_mt", "1_vote_k25", "prefill", "union_prefill_emb", "blend_semantic", "")
    assert [name for name in names if compare.is_semantic(name)] == ["u_emb_mt", "1_vote_k25"]
