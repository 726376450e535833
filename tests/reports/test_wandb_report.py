"""`prefillroute wandb-report` against a stand-in for W&B's server: the saved report, read back."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import wandb_workspaces.reports.v2 as wr
from pytorch_lightning.loggers import WandbLogger

from prefillroute.cli.main import main
from prefillroute.errors import UserError
from prefillroute.jobs.preemption import Preempted
from prefillroute.reports import wandb_runs
from prefillroute.reports.wandb_runs import read_tracked_sweep
from prefillroute.training.trackers.contract import RunCard, RunSources
from prefillroute.training.trackers.wandb_run import WandbTracker
from tests.training.toy_runs import metrics_of, write_run
from tests.wandb_stand_in.store import ENTITY, Store

COMMAND = "python train.py -m encoder=a,b seed=0,1 hydra.sweep.dir=runs/four"
JOBS = {
    "00000001": ("a", 0, 1.5), "00000002": ("a", 1, 2.0), "00000003": ("b", 0, 3.0), "00000004": ("b", 1, 5.0),
}  # fmt: skip


def track(
    folder: Path, run_id: str, encoder: str, seed: int, noise: float, error: BaseException | None = None
) -> None:
    """One job of the sweep: a run folder that is there already, told to W&B as a run tells it."""
    write_run(folder, (), noise, seed=seed)
    curve = np.linspace(0, 1, 5)
    pd.DataFrame({"cost_usd": curve, "accuracy": curve, "lambda": 1 - curve}).to_parquet(
        folder / "curve.parquet"
    )
    layers = {
        "encoder": encoder,
        "pooling": "mean",
        "layer": [0, 1, 2],
        "dim": 4,
        "auc": [0.5, 0.7, 0.6],
        "fisher_j": 1.0,
    }
    pd.DataFrame(layers).to_parquet(folder / "layers.parquet")
    config = {"seed": seed, "head": {"hidden": 8}, "paths": {"data": str(folder)}}
    card = RunCard(
        folder,
        run_id,
        config,
        {"encoder": encoder, "head": "x"},
        f"encoder={encoder} seed={seed}",
        "four",
        COMMAND,
    )
    card.logs.mkdir()
    tracker = WandbTracker(
        lambda **kind: WandbLogger(project="prefillroute", save_dir=str(card.logs), **kind), card, wait_s=20
    )
    tracker.begin()
    if error is None:
        tracker.wrote(lambda: RunSources("toy", folder.parent / "data", {}))
    tracker.end(error)


@pytest.fixture
def sweep(tmp_path: Path, wandb_server: Store) -> Store:
    (tmp_path / "data").mkdir()
    for run_id, (encoder, seed, noise) in JOBS.items():
        track(tmp_path / run_id, run_id, encoder, seed, noise)
        (tmp_path / "data" / "outcomes.parquet").write_bytes(b"")
    track(tmp_path / "5", "00000005", "c", 0, 1.0, UserError("no cache of c"))
    track(tmp_path / "6", "00000006", "c", 1, 1.0, Preempted(1))
    return wandb_server


def panels(store: Store) -> list[dict[str, Any]]:
    """The panels of the saved report, in order, as they were sent."""
    (view,) = store.views.values()
    grids = [block for block in json.loads(view["spec"])["blocks"] if block["type"] == "panel-grid"]
    for grid in grids:
        (runs,) = grid["metadata"]["runSets"]
        assert "four" in json.dumps(runs["filters"])
        assert '"name": "group"' in json.dumps(runs["filters"])
    found = []
    for grid in grids:
        found += grid["metadata"]["panelBankSectionConfig"]["panels"]
    return found


def test_the_report_of_a_sweep_shows_its_runs(
    sweep: Store, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    words = ["wandb-report", "--entity", ENTITY, "--project", "prefillroute", "--sweep", "four"]
    assert main(words) == 0
    address = capsys.readouterr().out.strip()
    report = wr.Report.from_url(address)
    assert report.title == "Sweep four"
    assert report.description == "6 runs: 1 failed, 4 finished, 1 preempted"
    headings = [block.text for block in report.blocks if isinstance(block, wr.H1)]
    assert headings == [
        "What was run", "Headline metrics", "AUC by encoder and target", "Accuracy against cost", "Layer profiles",
        "Choices", "Training",
    ]  # fmt: skip
    what, again, table = [block.text for block in report.blocks if isinstance(block, wr.MarkdownBlock)]
    assert again == f"```bash\n{COMMAND}\n```"
    assert what.splitlines()[2:] == [
        "- encoder: a, b, c", "- seed: 0, 1", "", "Not finished:", "", "- encoder=c seed=0: no cache of c",
    ]  # fmt: skip
    rows = [line.split(" | ") for line in table.splitlines()[2:6]]
    best = sorted(JOBS, key=lambda run_id: -metrics_of(tmp_path / run_id)["test"]["mean_auc"])
    assert [row[0] for row in rows] == [f"| encoder={JOBS[name][0]} seed={JOBS[name][1]}" for name in best]
    for row, name in zip(rows, best, strict=True):
        metrics = metrics_of(tmp_path / name)
        low, high = metrics["intervals"]["mean_auc"]
        assert row[1] == f"{metrics['test']['mean_auc']:.3f} [{low:.3f}, {high:.3f}]"

    heat_map, curves, profiles, coordinates, importance, *losses = panels(sweep)
    tables = [json.dumps(panel["config"]["userQuery"]) for panel in (heat_map, curves, profiles)]
    keys = ("targets", "accuracy_cost_table", "layer_profile_table")
    columns = []
    for panel, asked, key in zip((heat_map, curves, profiles), tables, keys, strict=True):
        assert f'"value": "{key}"' in asked
        # The table and its columns are what the runs logged.
        (path,) = [name for name in sweep.run_of("00000001").files if f"/{key}_" in name]
        logged = json.loads(sweep.run_of("00000001").files[path])["columns"]
        columns.append(panel["config"]["fieldSettings"])
        assert set(columns[-1].values()) <= set(logged)
    for panel, fields in ((heat_map, columns[0]), (profiles, columns[2])):
        spec = sweep.charts[panel["config"]["panelDefId"]]["spec"]
        assert all("${field:" + name + "}" in spec for name in fields)
    assert curves["config"]["panelDefId"] == "wandb/line/v0"
    axes = [column["accessor"] for column in coordinates["config"]["columns"]]
    assert axes == [
        "config:choices.value.encoder", "config:seed.value", "summary:test/hull_gain", "summary:test/mean_auc",
    ]  # fmt: skip
    assert importance["config"]["targetKey"] == "test/mean_auc"
    assert [panel["config"]["metrics"] for panel in losses] == [["train/loss"], ["val/loss"]]


def test_mistakes_end_in_one_line(wandb_server: Store, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    track(tmp_path / "1", "00000001", "a", 0, 1.0, Preempted(1))
    words = ["wandb-report", "--entity", ENTITY, "--project", "prefillroute"]
    assert main([*words, "--sweep", "no_such"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"found no run of no_such in {ENTITY}/prefillroute" in said
    assert main([*words, "--sweep", "four", "--sort-by", "colour"]) == 1
    assert "sort_by: expected one of" in capsys.readouterr().err
    assert main(["wandb-report", "--entity", ENTITY, "--project", "none", "--sweep", "four"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert wandb_server.views == {}


def test_a_server_that_is_not_there_ends_in_one_line(
    wandb_home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wandb_runs, "TIMEOUT_S", 1)
    wandb_home("http://127.0.0.1:9")
    with pytest.raises(UserError, match="W&B: expected the runs of a/b, found"):
        read_tracked_sweep("a", "b", "c")
