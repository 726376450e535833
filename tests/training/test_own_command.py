"""The user's own command as it stands, over real files: import -> extract -> a sweep of two encoders.

A working copy holds train.py and conf/; in it the two encoders' facts say the toy width, nothing else is changed.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ["train.py", "-m", "encoder=qwen35_122b,nemotron_super", "pool=frontier"]
NUM_QUERIES = 300
ENCODERS = ("qwen35_122b", "nemotron_super")


def load(name: str):  # type: ignore[no-untyped-def]
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def targets_of(conf: Path) -> list[str]:
    return [
        target["name"] for target in yaml.safe_load((conf / "pool" / "frontier.yaml").read_text())["targets"]
    ]


def write_bench(folder: Path, targets: list[str]) -> None:
    """LLMRouterBench's layout: results/bench/<dataset>/<split>/<model>/<timestamp>.json."""
    rng = np.random.default_rng(0)
    for dataset, start in (("toymath", 0), ("toycode", NUM_QUERIES // 2)):
        hard = rng.random(NUM_QUERIES // 2)
        for skill, target in enumerate(targets):
            records = [
                {
                    "index": i,
                    "origin_query": f"{dataset} question {start + i}: compute {int(1000 * hard[i])} times {i}",
                    "prompt": f"Answer. {dataset} question {start + i}",
                    "prediction": "x",
                    "ground_truth": "x",
                    "score": float(rng.random() < 0.9 - 0.7 * hard[i] + 0.02 * skill),
                    "prompt_tokens": 40 + i % 7,
                    "completion_tokens": 100 + 10 * skill,
                    "cost": 0.001 * (skill + 1),
                }
                for i in range(NUM_QUERIES // 2)
            ]
            path = folder / dataset / "test" / target / "20260101_000000.json"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps({"model_name": target, "dataset_name": dataset, "records": records}))


def run(workspace: Path, *command: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "COLUMNS": "200"}
    env = {key: value for key, value in env.items() if not key.startswith("PREFILLROUTE_")}
    return subprocess.run(
        [sys.executable, *command],
        cwd=workspace,
        env=env,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    families = load("toy_families")
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copy(ROOT / "train.py", folder)
    shutil.copytree(ROOT / "conf", folder / "conf")
    for encoder in ENCODERS:
        families.save_family(encoder, folder / "models" / encoder)
        path = folder / "conf" / "encoder" / f"{encoder}.yaml"
        facts = yaml.safe_load(path.read_text())
        facts |= {
            "repo": f"models/{encoder}",
            "num_layers": families.NUM_LAYERS,
            "hidden_size": families.HIDDEN_SIZE,
        }
        path.write_text(yaml.safe_dump(facts))
    write_bench(folder / "results" / "bench", targets_of(folder / "conf"))
    done = run(
        folder, "-m", "prefillroute.cli.main", "import", "llmrouterbench", "results/bench",
        "--out", "data/llmrouterbench",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def test_without_caches_each_job_says_in_one_line_what_to_run_first(workspace: Path) -> None:
    done = run(workspace, *COMMAND)
    assert done.returncode == 1
    said = [line for line in (done.stdout + done.stderr).splitlines() if "prefillroute extract" in line]
    assert len(said) == len(ENCODERS), done.stdout + done.stderr
    for encoder, line in zip(ENCODERS, said, strict=True):
        assert f"prefillroute extract encoder={encoder} pool=frontier" in line
    assert "Traceback" not in done.stderr


def test_two_run_folders_and_a_summary(workspace: Path) -> None:
    for encoder in ENCODERS:
        # conf/ of the working copy is not the package's, so the toy facts are said on the command line.
        done = run(
            workspace, "-m", "prefillroute.cli.main", "extract", f"encoder={encoder}", "pool=frontier",
            f"encoder.repo=models/{encoder}", "encoder.num_layers=4", "encoder.hidden_size=32",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    # As it stands, but for fewer epochs and resamples: the widths are toys, the time should be too.
    done = run(workspace, *COMMAND, "trainer=quick", "evaluation.num_resamples=20")
    assert done.returncode == 0, done.stdout + done.stderr
    sweep = next((workspace / "runs" / "sweeps").glob("*/summary.csv"), None)
    folders = [path.parent for path in (workspace / "runs" / "sweeps").glob("*/*/metrics.json")]
    assert sweep is not None
    assert len(folders) == 2
    for folder in folders:
        for name in (
            "predictions.parquet", "curve.parquet", "layers.parquet", "report.html", "router/router.json",
            "router/weights.safetensors", ".hydra/overrides.yaml", "figures",
        ):  # fmt: skip
            assert (folder / name).exists(), name
        predictions = pd.read_parquet(folder / "predictions.parquet")
        assert len(predictions) == NUM_QUERIES * len(targets_of(workspace / "conf"))
        assert set(predictions["split"]) == {"train_oof", "test"}
        assert predictions["confidence"].between(0, 1).all()
        metrics = json.loads((folder / "metrics.json").read_text())
        assert metrics["test"]["mean_auc"] is not None
        layers = pd.read_parquet(folder / "layers.parquet")
        assert set(layers["layer"]) <= {2, 3, 4}  # the upper half of four blocks
    assert "mean AUC" in done.stdout
    for encoder in ENCODERS:
        assert encoder in done.stdout
