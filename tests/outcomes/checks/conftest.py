"""A pool without any fault, and a way to spoil it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from prefillroute.config.facts import PoolConfig, TargetConfig
from prefillroute.outcomes.checks.contract import Finding
from prefillroute.outcomes.checks.run import check_pool

TODAY = date(2026, 11, 15)
NAMES = ("small", "medium", "large")


def sound_pool(folder: Path) -> tuple[PoolConfig, pd.DataFrame, pd.DataFrame]:
    """600 queries of two categories; each target is best in one of them or cheapest."""
    rng = np.random.default_rng(0)
    ids = [f"q{i}" for i in range(600)]
    queries = pd.DataFrame(
        {
            "query_id": ids,
            "benchmark": "b",
            "category": ["x", "y"] * 300,
            "prompt": [f"question number {i}" for i in range(600)],
        }
    )
    chance = {"small": (0.4, 0.4), "medium": (0.9, 0.3), "large": (0.5, 0.8)}
    outcomes = pd.DataFrame(
        {
            "query_id": np.tile(ids, 3),
            "target": np.repeat(NAMES, 600),
            "correct": np.concatenate(
                [rng.random(600) < np.tile(chance[name], 300) for name in NAMES]
            ).astype(float),
            "prompt_tokens": 100,
            "completion_tokens": 50,
        }
    )
    targets = [
        TargetConfig(name, price_in=price, price_out=2 * price, price_date="list, 2026-09")
        for name, price in zip(NAMES, (0.1, 1.0, 5.0), strict=True)
    ]
    return PoolConfig("tiny", str(folder), "prefillroute import csv x", targets), queries, outcomes


Spoil = Callable[[PoolConfig, pd.DataFrame, pd.DataFrame], tuple[PoolConfig, pd.DataFrame, pd.DataFrame]]


@pytest.fixture
def found(tmp_path: Path) -> Callable[..., list[Finding]]:
    """What is found in the sound pool after a change."""

    def check(spoil: Spoil | None = None, months: int = 12) -> list[Finding]:
        pool, queries, outcomes = sound_pool(tmp_path)
        if spoil is not None:
            pool, queries, outcomes = spoil(pool, queries, outcomes)
        # Not by `write_outcomes`, which refuses what is to be found.
        queries.to_parquet(tmp_path / "queries.parquet", index=False)
        outcomes.to_parquet(tmp_path / "outcomes.parquet", index=False)
        return check_pool(pool, months, TODAY)[1]

    return check


def with_target(pool: PoolConfig, name: str, **changes: Any) -> PoolConfig:
    """The pool with one target's facts changed."""
    targets = [replace(each, **changes) if each.name == name else each for each in pool.targets]
    return replace(pool, targets=targets)
