"""Whole runs on a toy pool and a toy encoder, through the real command: loggers, splits, baselines, kill and resume."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from experiments.badinput import toy
from experiments.badinput.workspace import NUM_QUERIES, Workspace, build
from prefillroute.router.router import Router
from prefillroute.routing.evaluation import evaluate
from prefillroute.routing.table import ConfidenceTable


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return build(tmp_path_factory.mktemp("toy"))


def train(workspace: Workspace, run: str, *overrides: str, **extra: str) -> Path:
    run_command(workspace, run, *overrides, **extra)
    return workspace.root / "runs" / run


def run_command(
    workspace: Workspace, run: str, *overrides: str, **extra: str
) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        workspace.train(*overrides, run=run), cwd=workspace.root, env=workspace.environment() | extra,
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def metrics_of(folder: Path) -> dict:
    return json.loads((folder / "metrics.json").read_text())


def test_metrics_can_be_recomputed_from_the_predictions(workspace: Workspace) -> None:
    folder = workspace.root / "runs" / "first"
    queries = pd.read_parquet(workspace.data / "queries.parquet")
    table = ConfidenceTable.from_frame(pd.read_parquet(folder / "predictions.parquet"), queries)
    again = evaluate(table, num_resamples=0).metrics
    written = metrics_of(folder)
    assert again["test"] == pytest.approx(written["test"], nan_ok=True)
    assert again["cost_range"] == pytest.approx(written["cost_range"])


def test_every_query_is_predicted_once_and_training_rows_out_of_fold(workspace: Workspace) -> None:
    frame = pd.read_parquet(workspace.root / "runs" / "first" / "predictions.parquet")
    assert len(frame) == NUM_QUERIES * 3
    assert not frame.duplicated(["query_id", "target"]).any()
    assert set(frame["split"]) == {"train_oof", "test"}
    assert frame["confidence"].notna().all()


def test_calibration_part_takes_the_place_of_folds_and_wandb_writes_offline(workspace: Workspace) -> None:
    folder = train(
        workspace, "calibrated", "split=calibrated", "logger=wandb", "logger.offline=true", "calibration=isotonic",
        WANDB_SILENT="true",
    )  # fmt: skip
    frame = pd.read_parquet(folder / "predictions.parquet")
    parts = frame.groupby("split")["confidence"].apply(lambda column: column.notna().all())
    assert parts["calibration"]
    assert parts["test"]
    assert not parts["train_oof"]
    logged = list(folder.rglob("*.wandb"))
    assert len(logged) == 1
    assert logged[0].stat().st_size > 1000


def test_tensorboard_gets_losses_and_the_test_metrics(workspace: Workspace) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: PLC0415

    folder = train(workspace, "tensorboard", "logger=tensorboard")
    events = next((folder / "logs").rglob("events.out.tfevents.*")).parent
    tags = EventAccumulator(str(events)).Reload().Tags()["scalars"]
    assert "test/mean_auc" in tags
    assert any("loss" in tag for tag in tags)


def test_baselines_need_no_cache(workspace: Workspace) -> None:
    for head in ("constant", "category_prior"):
        folder = train(workspace, head, "signal=category", f"head={head}", "paths.caches=none")
        assert Router.load(folder / "router").columns == ("category",)
        assert (folder / "report.html").exists()
        assert metrics_of(folder)["layers"] is None
    constant = metrics_of(workspace.root / "runs" / "constant")["test"]
    assert constant["mean_auc"] == pytest.approx(0.5)
    # The toy's outcomes depend on the category; 24 test queries are few, 136 out-of-fold ones show it.
    frame = pd.read_parquet(workspace.root / "runs" / "category_prior" / "predictions.parquet")
    small = frame[(frame["target"] == "small") & (frame["split"] == "train_oof")]
    assert roc_auc_score(small["correct"], small["confidence"]) > 0.65


def test_a_number_that_cannot_be_computed_is_explained_where_it_is_missing(workspace: Workspace) -> None:
    names = (f"{{name:{name},price_in:0,price_out:0,price_date:free}}" for name in toy.TARGETS)
    free = f"pool.targets=[{','.join(names)}]"
    done = run_command(workspace, "free", "signal=category", "head=constant", free)
    assert "P-AUCCC: no number (every target is free: 1/C_min is infinite" in done.stdout
    assert "hull gain: no number (the cheapest target is free" in done.stdout


def test_nested_layer_choice_predicts_every_row(workspace: Workspace) -> None:
    nested = pd.read_parquet(
        train(workspace, "nested", "nested_layers=true", "report=false", "bundle=false")
        / "predictions.parquet"
    )
    plain = pd.read_parquet(workspace.root / "runs" / "first" / "predictions.parquet")
    assert len(nested) == len(plain)
    assert nested["confidence"].between(0, 1).all()


@pytest.mark.parametrize("saves", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_killed_run_goes_on_to_the_same_numbers(workspace: Workspace, saves: int) -> None:
    overrides = (
        "trainer.max_epochs=80",
        "trainer.patience=80",
        "trainer.num_members=3",
        "trainer.num_kept=2",
        "report=false",
        "bundle=false",
    )
    undisturbed = train(workspace, "undisturbed", *overrides)
    run = f"killed{saves}"
    folder = workspace.root / "runs" / run
    process = subprocess.Popen(
        workspace.train(*overrides, run=run), cwd=workspace.root, env=workspace.environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    written, seen = 0, 0.0
    deadline = time.monotonic() + 200
    while written < saves and process.poll() is None and time.monotonic() < deadline:
        stamp = max((path.stat().st_mtime for path in folder.glob("checkpoints/*/last.ckpt")), default=seen)
        if stamp != seen:
            written, seen = written + 1, stamp
        time.sleep(0.001)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert written == saves
    assert "Warning" not in run_command(workspace, run, *overrides).stderr
    went_on = re.search(r"goes on after epoch (\d+)", (folder / "train.log").read_text())
    assert went_on is not None
    assert saves <= int(went_on[1]) < 80
    first, second = (pd.read_parquet(path / "predictions.parquet") for path in (undisturbed, folder))
    np.testing.assert_array_equal(first["confidence"], second["confidence"])
    assert not (folder / "checkpoints").exists()
