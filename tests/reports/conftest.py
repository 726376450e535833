"""Run folders as training writes them: the numbers come from the real evaluation of a synthetic router."""

import dataclasses
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from prefillroute.jobs.status import Status
from prefillroute.reports.report import write_report
from prefillroute.reports.sweep import summarise_sweep
from prefillroute.routing.evaluation import evaluate
from prefillroute.routing.table import ConfidenceTable
from prefillroute.text.screen import Screen

PRICES = (0.0002, 0.001, 0.004, 0.0005, 0.02)
"""USD per query of the first targets; more targets go round."""


def synthetic_table(num_targets: int, num_queries: int, seed: int, missing: float) -> ConfidenceTable:
    """Queries of varying difficulty, half training and half test, and confidences that know something of them."""
    rng = np.random.default_rng(seed)
    skill = np.linspace(-1.0, 1.5, num_targets)
    logit = skill + rng.normal(size=(num_queries, 1)) + 0.7 * rng.normal(size=(num_queries, num_targets))
    correct = (rng.random(logit.shape) < 1 / (1 + np.exp(-logit))).astype(float)
    correct[rng.random(correct.shape) < missing] = np.nan
    cost = np.resize(PRICES, num_targets) * rng.uniform(0.8, 1.25, size=(num_queries, 1))
    return ConfidenceTable(
        query_id=np.array([f"q{i}" for i in range(num_queries)], dtype=object),
        split=np.where(np.arange(num_queries) % 2, "test", "train_oof").astype(object),
        benchmark=np.where(np.arange(num_queries) % 3, "a", "b").astype(object),
        targets=tuple(f"model-{index}-instruct" for index in range(num_targets)),
        confidence=1 / (1 + np.exp(-(logit + 0.8 * rng.normal(size=logit.shape)))),
        cost_usd=cost,
        realised_cost_usd=np.full(logit.shape, np.nan),
        correct=correct,
    )


def synthetic_layers(targets: tuple[str, ...], seed: int) -> pd.DataFrame:
    """layers.parquet with a constant layer 0, whose scores are null."""
    rng = np.random.default_rng(seed)
    rows = [
        {
            "encoder": "tiny",
            "layer": layer,
            "pooling": pooling,
            "dim": dim,
            "target": target,
            "auc": 0.6 + 0.01 * layer + 0.01 * rng.random() if layer else np.nan,
            "fisher_j": 0.1 + 0.01 * layer if layer else np.nan,
            "fisher_j_permuted": 0.05 if layer else np.nan,
        }
        for pooling in ("last", "mean")
        for layer in range(5)
        for dim in (50, 100)
        for target in targets
    ]
    return pd.DataFrame(rows)


def write_run_folder(folder: Path, table: ConfidenceTable) -> None:
    """Evaluate `table` and write every file that a run leaves, but the report."""
    evaluation = evaluate(table, num_resamples=20, grid_size=11)
    (folder / ".hydra").mkdir(parents=True)
    metrics = {**evaluation.metrics, "timings_s": {"layer_choice": 71.5, "fit": 12.25, "evaluate": 0.5}}
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    table.to_frame().to_parquet(folder / "predictions.parquet")
    evaluation.curve.to_parquet(folder / "curve.parquet")
    synthetic_layers(table.targets, 0).to_parquet(folder / "layers.parquet")
    (folder / "router").mkdir()
    block = {"encoder": "tiny", "layers": [3], "pooling": "mean", "dim": 50}
    (folder / "router" / "router.json").write_text(json.dumps({"blocks": [block]}), encoding="utf-8")
    config = {"encoder": {"name": "tiny"}, "seed": 7, "calibration": {"_target_": "x.Platt"}}
    choices = {"encoder": "tiny", "pool": "three", "head": "shared_trunk", "calibration": "platt"}
    hydra = {
        "runtime": {"choices": {**choices, "hydra/launcher": "basic"}},
        "overrides": {"task": ["encoder=tiny", "pool.targets=[a b]"]},
        "job": {"name": "train"},
    }
    (folder / ".hydra" / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (folder / ".hydra" / "hydra.yaml").write_text(yaml.safe_dump({"hydra": hydra}), encoding="utf-8")


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory) -> Path:
    """A run of three targets with its report; not to be changed."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    write_run_folder(folder, synthetic_table(3, 200, 0, 0.05))
    write_report(folder)
    return folder


@pytest.fixture
def run_folder(tmp_path, finished_run) -> Callable[..., Path]:
    """A run folder without its report, to be changed at will: a copy of `finished_run`, or of another table."""

    def write(table: ConfidenceTable | None = None) -> Path:
        folder = tmp_path / "run"
        if table is None:
            shutil.copytree(finished_run, folder, ignore=shutil.ignore_patterns("report.html", "figures"))
        else:
            write_run_folder(folder, table)
        return folder

    return write


@pytest.fixture
def make_table() -> Callable[[int], ConfidenceTable]:
    """Tables of any number of targets on 60 queries."""
    return lambda num_targets: synthetic_table(num_targets, 60, 1, 0.0)


HOSTILE = "</script><img src=//x.example/y onerror=alert(1)>"
"""A target's name that would end the script element of a page and fetch something."""


@pytest.fixture(scope="session")
def compared_sweep(tmp_path_factory) -> Path:
    """A summarised sweep: two encoders x three seeds on pool p, two runs on q, one without a curve, one failed."""
    folder = tmp_path_factory.mktemp("sweep")
    tables = {
        f"encoder={name} pool=p seed={seed}": (3, 10 * seed + (name == "b"))
        for name in "ab"
        for seed in (0, 2, 10)
    }
    tables |= {"encoder=a pool=q seed=0": (5, 1), "encoder=b pool=q seed=0": (5, 2)}
    for number, (overrides, (num_targets, seed)) in enumerate(tables.items()):
        run = folder / str(number)
        table = synthetic_table(num_targets, 120, seed, 0.03)
        table = dataclasses.replace(table, targets=(HOSTILE, *table.targets[1:]))
        write_run_folder(run, table)
        Status("finished", tuple(overrides.split())).write(run)
    (folder / "7" / "curve.parquet").unlink()
    metrics = json.loads((folder / "4" / "metrics.json").read_text(encoding="utf-8"))
    metrics["test"]["mean_brier"] = None
    (folder / "4" / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    (folder / "0" / "report.html").write_text("x", encoding="utf-8")
    (folder / "8").mkdir()
    Status("failed", ("encoder=c", "pool=p", "seed=0"), error="no cache").write(folder / "8")
    summarise_sweep(folder, screen=Screen(file=io.StringIO(), columns=160))
    return folder


def routed_by_hand(folder: Path, lambdas: np.ndarray) -> np.ndarray:
    """Complete test queries per target (L, M), by formula 3 inside each segment, one lambda after another."""
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    frame = pd.read_parquet(folder / "predictions.parquet").query("split == 'test'")
    wide = {
        name: frame.pivot(index="query_id", columns="target", values=name)[
            list(metrics["targets"])
        ].to_numpy()
        for name in ("confidence", "cost_usd", "correct")
    }
    whole = ~np.isnan(wide["correct"]).any(axis=1)
    low, high = metrics["cost_range"]
    relative = (wide["cost_usd"][whole] - low) / (high - low)
    num_targets = len(metrics["targets"])
    return np.array(
        [
            np.bincount(
                ((1 - value) * wide["confidence"][whole] - value * relative).argmax(axis=1),
                minlength=num_targets,
            )
            for value in lambdas
        ]
    )
