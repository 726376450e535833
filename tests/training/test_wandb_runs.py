"""What a run tells W&B: offline files read back, and the real client and wandb-core against a stand-in server."""

import base64
import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from omegaconf import OmegaConf

from prefillroute.errors import UserError
from prefillroute.jobs.preemption import Preempted
from prefillroute.jobs.status import Status, read_status, run_id
from prefillroute.modules.ensemble import EnsembleModule
from prefillroute.training import run as training
from prefillroute.training.run import train_router
from tests.training.conftest import World
from tests.training.toy_runs import metrics_of
from tests.wandb_stand_in.run_log import read_run_log
from tests.wandb_stand_in.store import Store

SMALL = ("layers=final", "layers.dim=4", "evaluation.num_resamples=20", "report=false", "bundle=false")


def train(world: World, folder: Path, *overrides: str) -> dict:
    """A whole run; gives its metrics.json."""
    config = world.config(*SMALL, *overrides)
    (folder / ".hydra").mkdir(parents=True, exist_ok=True)
    if read_status(folder) is None:
        Status("running").write(folder)  # as `run_job` does; a job's id may be in it
    OmegaConf.save(config, folder / ".hydra" / "config.yaml")
    train_router(config, folder)
    return metrics_of(folder)


def plain(rows: list[dict]) -> list[dict]:
    """The epochs of a history, without what W&B and Lightning add to each row."""
    own = ("_step", "_runtime", "_timestamp", "trainer/global_step")
    return [{k: v for k, v in row.items() if k not in own} for row in rows if "epoch" in row]


def csv_epochs(folder: Path) -> list[dict]:
    with (folder / "logs" / "csv" / "metrics.csv").open(encoding="utf-8") as file:
        rows = [{key: float(text) for key, text in row.items() if text} for row in csv.DictReader(file)]
    return [{key: value for key, value in row.items() if key != "step"} for row in rows if "epoch" in row]


def numbers(metrics: dict) -> dict:
    """What the summary is to hold of metrics.json: every number of `test`, and both ends of its interval."""
    found = {}
    for key, value in metrics["test"].items():
        if value is None:
            continue
        found[f"test/{key}"] = value
        ends = metrics["intervals"].get(key) or (None, None)
        for name, end in zip(("low", "high"), ends, strict=True):
            if end is not None:
                found[f"test/{key}_{name}"] = end
    return found


@pytest.fixture(scope="module")
def undisturbed(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run with the CSV logger."""
    folder = tmp_path_factory.mktemp("csv")
    train(world, folder, "logger=csv")
    return folder


def test_an_offline_run_holds_the_epochs_and_the_numbers_of_the_run(
    world: World, tmp_path: Path, undisturbed: Path, wandb_home: Callable[[str], None]
) -> None:
    wandb_home("http://127.0.0.1:9")
    metrics = train(world, tmp_path / "run", "logger=wandb", "logger.offline=true")
    assert "WANDB_MODE" not in os.environ
    (path,) = (tmp_path / "run").rglob("*.wandb")
    log = read_run_log(path)
    assert (log.id, log.project, log.exit_code) == (run_id(tmp_path / "run"), "prefillroute", 0)
    assert log.tags == ("pool=toy", "encoder=toy")
    assert plain(log.history) == csv_epochs(undisturbed)
    assert len(plain(log.history)) == 4
    assert metrics["test"] == metrics_of(undisturbed)["test"]
    shown = {key: value for key, value in log.summary.items() if key.startswith("test/")}
    assert shown == numbers(metrics)
    config = OmegaConf.to_container(OmegaConf.load(tmp_path / "run" / ".hydra" / "config.yaml"), resolve=True)
    assert {key: log.config[key] for key in config} == config
    assert log.config["choices"] == {"pool": "toy", "encoder": "toy"}
    assert set(log.config) - set(config) == {"choices", "run_folder", "_wandb"}
    # True: the run used it; False: it made it.
    assert log.artifacts == {"outcomes": True, "activation-cache": True, "run_table": False}


def test_a_run_uploads_report_and_bundle_with_what_they_were_made_from(
    world: World, tmp_path: Path, wandb_server: Store
) -> None:
    folder = tmp_path / "run"
    metrics = train(world, folder, "logger=wandb", "report=true", "bundle=true")
    run = wandb_server.run_of(run_id(folder))
    assert (run.state, run.exit_code, run.starts) == ("finished", 0, 1)
    assert run.tags == ["pool=toy", "encoder=toy"]
    assert {key: value for key, value in run.summary.items() if key.startswith("test/")} == numbers(metrics)

    used = {kind: wandb_server.artifact(kind) for kind in ("outcomes", "activation-cache")}
    made = {kind: wandb_server.artifact(kind) for kind in ("report", "router-bundle")}
    assert all(each.used_by == [run.name] for each in used.values())
    assert all(each.logged_by == run.name and not each.used_by for each in made.values())
    assert {each.state for each in (*used.values(), *made.values())} == {"COMMITTED"}
    assert made["report"].files["report.html"] == (folder / "report.html").read_bytes()
    assert made["router-bundle"].files == {
        path.name: path.read_bytes() for path in (folder / "router").iterdir()
    }
    # Outcomes and caches stay where they are: their places and digests are told.
    contents = used["outcomes"].manifest["contents"]
    for name in ("queries.parquet", "outcomes.parquet"):
        digest = hashlib.md5((world.folder / name).read_bytes()).digest()
        assert contents[name]["ref"] == f"file://{world.folder / name}"
        assert contents[name]["digest"] == base64.b64encode(digest).decode()
    cache = json.loads(used["activation-cache"].files["cache.json"])
    assert cache["made_by"]["encoder"] == "toy"
    assert cache["outcomes"]["digest"] == used["outcomes"].digest

    tables = {
        name.split("/")[-1].split("_table")[0].split("_5")[0]: json.loads(body)
        for name, body in run.files.items()
        if name.startswith("media/table/")
    }
    (targets,) = [table for name, table in tables.items() if name.startswith("targets")]
    by_target = {row[1]: dict(zip(targets["columns"], row, strict=True)) for row in targets["data"]}
    assert {name: row["auc"] for name, row in by_target.items()} == {
        name: values["auc"] for name, values in metrics["targets"].items()
    }
    curve = pd.read_parquet(folder / "curve.parquet").sort_values("cost_usd", kind="stable")
    (shown,) = [table for name, table in tables.items() if name.startswith("accuracy_cost")]
    assert [row[1] for row in shown["data"]] == curve["accuracy"].tolist()
    assert run.summary["accuracy_cost_table"]["nrows"] == len(curve)
    visualised = run.config["_wandb"]["value"]["visualize"]["accuracy_cost"]["panel_config"]
    assert visualised["panelDefId"] == "wandb/line/v0"


@contextmanager
def preempted_at(epoch: int) -> Iterator[None]:
    """This process gets SIGUSR1 as it begins an epoch, and its handler raises what the one of a cluster's job does."""
    start = EnsembleModule.on_train_epoch_start

    def stopped(*_: object) -> None:
        raise Preempted(1)

    def signalled(module: EnsembleModule) -> None:
        if module.current_epoch == epoch:
            os.kill(os.getpid(), signal.SIGUSR1)
        start(module)

    before = signal.signal(signal.SIGUSR1, stopped)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(EnsembleModule, "on_train_epoch_start", signalled)
        yield
    signal.signal(signal.SIGUSR1, before)


def test_a_preempted_run_goes_on_in_its_own_run_with_each_epoch_once(
    world: World, tmp_path: Path, undisturbed: Path, wandb_server: Store
) -> None:
    folder = tmp_path / "run"
    with preempted_at(2), pytest.raises(Preempted):
        train(world, folder, "logger=wandb")
    run = wandb_server.run_of(run_id(folder))
    assert (run.state, run.starts) == ("preempted", 1)
    assert [row["epoch"] for row in plain(run.history)] == [0, 1]
    metrics = train(world, folder, "logger=wandb")
    assert list(wandb_server.runs.values()) == [run]
    assert (run.state, run.exit_code, run.starts) == ("finished", 0, 2)
    assert plain(run.history) == csv_epochs(undisturbed)
    assert metrics["test"] == metrics_of(undisturbed)["test"]


def test_two_offline_parts_of_a_preempted_run_are_one_run_after_sync(
    world: World, tmp_path: Path, undisturbed: Path, wandb_server: Store
) -> None:
    folder = tmp_path / "run"
    with preempted_at(2), pytest.raises(Preempted):
        train(world, folder, "logger=wandb", "logger.offline=true")
    metrics = train(world, folder, "logger=wandb", "logger.offline=true")
    parts = sorted((folder / "logs" / "wandb").glob("offline-run-*"))
    assert len(parts) == 2
    for part in parts:
        done = subprocess.run(
            [sys.executable, "-m", "wandb", "sync", str(part)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
    run = wandb_server.run_of(run_id(folder))
    assert plain(run.history) == csv_epochs(undisturbed)
    assert {key: value for key, value in run.summary.items() if key.startswith("test/")} == numbers(metrics)
    assert wandb_server.artifact("outcomes").used_by == [run.name]


def test_a_failed_run_says_so_and_why(
    world: World, tmp_path: Path, wandb_server: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise UserError("metrics.json: no space left")

    monkeypatch.setattr(training, "write_results", full)
    with pytest.raises(UserError):
        train(world, tmp_path / "run", "logger=wandb")
    run = wandb_server.run_of(run_id(tmp_path / "run"))
    assert (run.state, run.exit_code) == ("failed", 1)
    assert run.summary["error"] == "metrics.json: no space left"
    assert len(plain(run.history)) == 4
