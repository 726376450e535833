"""`wandb sweep slurm/wandb_sweep.yaml` and `wandb agent`, the real ones, with train.py as their program."""

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

from experiments.badinput.workspace import REPOSITORY, Workspace, build
from prefillroute.cli.main import main
from prefillroute.config.compose import compose_run
from tests.wandb_stand_in.store import ENTITY, Run, Store

SHIPPED: dict[str, Any] = yaml.safe_load(
    (REPOSITORY / "slurm" / "wandb_sweep.yaml").read_text(encoding="utf-8")
)


def test_every_value_of_the_sweep_that_ships_composes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in the agent's form `--key=value`, which `test_apps` shows to be an override."""
    monkeypatch.setenv("WANDB_SWEEP_ID", "s1")
    monkeypatch.setenv("WANDB_RUN_ID", "r1")
    fixed = [word for word in SHIPPED["command"] if "=" in word]
    assert OverridesParser.create().parse_overrides(fixed)
    own = [word for word in fixed if not word.startswith("hydra.")]
    values = {
        key: entry.get("values") or [entry["min"], entry["max"]]
        for key, entry in SHIPPED["parameters"].items()
    }
    for index in range(max(map(len, values.values()))):
        compose_run([*own, *(f"{key}={found[index % len(found)]}" for key, found in values.items())])


def test_overrides_may_be_written_as_options(capsys: pytest.CaptureFixture) -> None:
    words = [
        "--head=logistic",
        "--cfg",
        "job",
        "--pool.exclude=[]",
        "--num_folds=3",
        "--experiment=quickstart",
    ]
    assert main(["train", *words]) == 0
    config = yaml.safe_load(capsys.readouterr().out)
    assert config["head"]["_target_"] == "prefillroute.heads.logistic.LogisticHead"
    assert config["num_folds"] == 3
    assert main(["train", "--no-such-option"]) == 1
    assert "unrecognized arguments: --no-such-option" in capsys.readouterr().err
    assert main(["train", "--heed=logistic"]) == 1
    assert capsys.readouterr().err.endswith("found 'heed'\n")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return build(tmp_path_factory.mktemp("toy"))


def swept(workspace: Workspace, store: Store, sweep: dict[str, Any], count: int) -> list[Run]:
    """`wandb sweep` and `wandb agent` on a sweep file; gives the runs."""
    file = workspace.root / "sweep.yaml"
    file.write_text(yaml.safe_dump(sweep), encoding="utf-8")
    # `${env}` of the sweep finds Python on the PATH, as in an activated environment.
    environment = {
        **workspace.environment(),
        **{key: value for key, value in os.environ.items() if key.startswith("WANDB_")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    shutil.rmtree(
        workspace.root / "runs" / "wandb", ignore_errors=True
    )  # of another test's server, with equal ids
    before = set(store.sweeps)

    def wandb(*words: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "wandb", *words],
            cwd=workspace.root, env=environment, capture_output=True, text=True, timeout=280,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    wandb("sweep", "--project", "prefillroute", "--entity", ENTITY, str(file))
    (name,) = set(store.sweeps) - before
    wandb("agent", "--count", str(count), f"{ENTITY}/prefillroute/{name}")
    return [run for run in store.runs.values() if run.sweep == name]


def on_toy(workspace: Workspace, method: str) -> dict[str, Any]:
    """The sweep that ships, on the toy pool instead of the starter pool."""
    sweep = copy.deepcopy(SHIPPED)
    kept = [word for word in sweep["command"] if not word.startswith(("encoder=", "pool=", "${args}"))]
    toy = [word for word in workspace.train()[2:] if not word.startswith(("hydra.run.dir=", "layers."))]
    sweep |= {
        "method": method, "program": str(REPOSITORY / "train.py"),
        "command": [*kept, *toy, "layers.dims=[4]", "report=false", "bundle=false", "${args}"],
    }  # fmt: skip
    return sweep


@pytest.mark.slow
@pytest.mark.parametrize("method", ["grid", "random", "bayes"])
def test_an_agent_trains_what_the_sweep_asks_for(
    method: str, workspace: Workspace, wandb_server: Store, capsys: pytest.CaptureFixture
) -> None:
    sweep = on_toy(workspace, method)
    sweep["parameters"]["layers"] = {"value": "cv_probe"}
    if method == "grid":
        sweep["parameters"]["trainer.learning_rate"] = {"values": [0.001]}
        sweep["parameters"]["trainer.weight_decay"] = {"value": 0.001}
    count = 2 if method == "grid" else 1
    runs = swept(workspace, wandb_server, sweep, count)
    assert [run.state for run in runs] == ["finished"] * count
    if method == "grid":
        assert {run.plain_config()["choices"]["head"] for run in runs} == {"shared_trunk", "independent_mlp"}
    for run in runs:
        folder = workspace.root / "runs" / "wandb" / str(run.sweep) / run.name
        said = yaml.safe_load((folder / ".hydra" / "overrides.yaml").read_text(encoding="utf-8"))
        config = run.plain_config()
        assert f"head={config['choices']['head']}" in said
        assert f"trainer.learning_rate={config['trainer']['learning_rate']}" in said
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        assert run.summary[sweep["metric"]["name"]] == metrics["test"]["selection_auc"]
    words = ["wandb-report", "--entity", ENTITY, "--project", "prefillroute", "--sweep", str(runs[0].sweep)]
    assert main(words) == 0
    (view,) = wandb_server.views.values()
    assert view["displayName"] == f"Sweep {runs[0].sweep}"
    assert f"wandb agent {ENTITY}/prefillroute/{runs[0].sweep}" in view["spec"]
    assert capsys.readouterr().out.strip().startswith("http")


@pytest.mark.slow
def test_the_jobs_of_a_hydra_sweep_are_runs_of_one_group(
    workspace: Workspace, wandb_server: Store, capsys: pytest.CaptureFixture
) -> None:
    words = [word for word in workspace.train() if not word.startswith("hydra.run.dir=")]
    sweep = [
        "-m", "head=shared_trunk,logistic", "seed=0", "logger=wandb", "hydra.sweep.dir=runs/two heads",
        "report=false", "bundle=false",
    ]  # fmt: skip
    done = subprocess.run(
        [*words, *sweep],
        cwd=workspace.root,
        env=workspace.environment(),
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    runs = {str(run.display_name): run for run in wandb_server.runs.values()}
    assert set(runs) == {"head=shared_trunk", "head=logistic"}
    for name, run in runs.items():
        assert (run.state, run.group) == ("finished", "two heads")
        assert {name, "pool=tiny", "encoder=toy"} <= set(run.tags)
        config = run.plain_config()
        assert f"head={config['choices']['head']}" == name
        assert "'hydra.sweep.dir=\"runs/two heads\"'" in config["sweep"]["command"]
        metrics = json.loads((Path(config["run_folder"]) / "metrics.json").read_text(encoding="utf-8"))
        assert run.summary["test/mean_auc"] == metrics["test"]["mean_auc"]
        # A head that is solved in closed form has no epochs.
        assert len([row for row in run.history if "epoch" in row]) == (
            2 if name == "head=shared_trunk" else 0
        )
    assert (
        main(["wandb-report", "--entity", ENTITY, "--project", "prefillroute", "--sweep", "two heads"]) == 0
    )
    (view,) = wandb_server.views.values()
    assert view["description"] == "2 runs: 2 finished"
    assert capsys.readouterr().out.strip().startswith(wandb_server.url)
