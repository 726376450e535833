"""Finished runs over real confidence tables, small enough to be compared at once."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf

from prefillroute.jobs.status import Status
from prefillroute.routing.evaluation import evaluate
from prefillroute.routing.table import ConfidenceTable

NUM_QUERIES = 300
TARGETS = ("small", "medium", "large")


def make_table(
    noise: float,
    split: str = "train_oof",
    test_noise: float | None = None,
    power: float = 1.0,
    seed: int = 1,
) -> ConfidenceTable:
    """Half `split`, half test rows of one pool; `noise` of the confidences' logits, `power` spoils calibration."""
    rng = np.random.default_rng(0)
    logit = rng.normal(size=(NUM_QUERIES, 1)) + rng.normal(size=(NUM_QUERIES, 3)) + [-0.5, 0.0, 0.8]
    correct = (rng.random(logit.shape) < 1 / (1 + np.exp(-logit))).astype(float)
    cost = np.array([0.001, 0.002, 0.008]) * rng.uniform(0.8, 1.2, size=(NUM_QUERIES, 1))
    names = np.where(np.arange(NUM_QUERIES) % 2, "test", split).astype(object)
    names[:20] = np.where(names[:20] == "calibration", "train_oof", names[:20])
    spread = np.where(names == "test", noise if test_noise is None else test_noise, noise)[:, None]
    guess = logit + spread * np.random.default_rng(seed).normal(size=logit.shape)
    confidence = 1 / (1 + np.exp(-guess)) ** power
    if split == "calibration":
        confidence[names == "train_oof"] = np.nan  # no folds are trained
    return ConfidenceTable(
        query_id=np.array([f"q{row}" for row in range(NUM_QUERIES)], dtype=object),
        split=names,
        benchmark=np.full(NUM_QUERIES, "all", dtype=object),
        targets=TARGETS,
        confidence=confidence,
        cost_usd=cost,
        realised_cost_usd=np.full(logit.shape, np.nan),
        correct=correct,
    )


def write_run(
    folder: Path,
    table: ConfidenceTable,
    overrides: tuple[str, ...] = (),
    pool: str = "six",
    head: str = "mlp",
) -> Path:
    """The files of a finished run that a comparison reads."""
    (folder / ".hydra").mkdir(parents=True)
    target = f"prefillroute.heads.{head}.Head"
    config = {"pool": {"name": pool, "correct_threshold": 0.5}, "head": {"_target_": target}}
    OmegaConf.save(config, folder / ".hydra" / "config.yaml")
    table.to_frame().to_parquet(folder / "predictions.parquet")
    metrics = evaluate(table, num_resamples=10, grid_size=11).metrics
    (folder / "metrics.json").write_text(json.dumps(metrics))
    Status("finished", overrides).write(folder)
    return folder


@pytest.fixture(scope="session")
def tables() -> dict[str, ConfidenceTable]:
    """Three routers, best first."""
    return {"prefill": make_table(0.5), "near": make_table(0.5, seed=2), "far": make_table(9.0)}


@pytest.fixture(scope="session")
def make_run() -> Callable[..., Path]:
    return write_run


@pytest.fixture
def table_of() -> Callable[..., ConfidenceTable]:
    return make_table


@pytest.fixture
def read_csv() -> Callable[[Path], pd.DataFrame]:
    """comparison.csv by router and metric."""
    return lambda path: pd.read_csv(path).set_index(["pool", "router", "metric"])
