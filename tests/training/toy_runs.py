"""A finished run folder, written without any training."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from omegaconf import OmegaConf

from prefillroute.jobs.status import Status
from prefillroute.routing.evaluation import evaluate
from prefillroute.routing.table import ConfidenceTable

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
