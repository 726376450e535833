import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prefillroute.outcomes.files import read_outcomes, write_outcomes
from prefillroute.outcomes.table import Outcomes

Frames = tuple[pd.DataFrame, pd.DataFrame]


@pytest.fixture
def frames() -> Callable[..., Frames]:
    """Builder of the two tables: `frames(num_queries=40, num_targets=3, missing=0.0, seed=0)`."""

    def build(num_queries: int = 40, num_targets: int = 3, missing: float = 0.0, seed: int = 0) -> Frames:
        rng = np.random.default_rng(seed)
        ids = [f"q{i}" for i in range(num_queries)]
        benchmark = rng.choice(["alpha", "beta", "gamma"], num_queries, p=[0.5, 0.3, 0.2])
        queries = pd.DataFrame(
            {
                "query_id": ids,
                "benchmark": benchmark,
                "category": rng.choice(["x", "y"], num_queries),
                "prompt": [f"question number {i}" for i in range(num_queries)],
            }
        )
        pairs = pd.MultiIndex.from_product(
            [ids, [f"m{j}" for j in range(num_targets)]], names=["query_id", "target"]
        ).to_frame(index=False)
        hardness = np.repeat(rng.random(num_queries), num_targets)
        pairs["correct"] = (rng.random(len(pairs)) > hardness).astype(float)
        pairs["prompt_tokens"] = rng.integers(10, 500, len(pairs))
        pairs["completion_tokens"] = rng.integers(1, 900, len(pairs))
        pairs["latency_s"] = rng.random(len(pairs)) * 10
        pairs["ttft_s"] = rng.random(len(pairs))
        pairs["cost_usd"] = rng.random(len(pairs)) / 100
        return queries, pairs[rng.random(len(pairs)) >= missing].reset_index(drop=True)

    return build


@pytest.fixture
def table(frames: Callable[..., Frames], tmp_path: Path) -> Callable[..., Outcomes]:
    """Builder of a table, written and read: `table(num_queries=40, ..., queries={"split": [...]})`."""

    def build(queries: dict | None = None, **sizes: float) -> Outcomes:
        written, pairs = frames(**sizes)
        write_outcomes(tmp_path / "table", written.assign(**(queries or {})), pairs)
        return read_outcomes(tmp_path / "table")

    return build


@pytest.fixture
def llmrouterbench_folder(tmp_path: Path) -> Callable[..., Path]:
    """Builder of a synthetic `results/bench` in LLMRouterBench's layout, for given model names."""

    def build(models: list[str], num_queries: int = 300, seed: int = 0) -> Path:
        rng = np.random.default_rng(seed)
        root = tmp_path / "results" / "bench"
        for dataset, split, share in (
            ("aime", "hybrid", 0.1),
            ("mmlupro", "test_3000", 0.6),
            ("simpleqa", "test", 0.3),
        ):
            hardness = rng.random(round(num_queries * share))
            for skill, model in enumerate(models, start=1):
                records = [
                    {
                        "index": index,
                        "origin_query": f"{dataset} question {index}?",
                        "prompt": f"Answer this. {dataset} question {index}?",
                        "prediction": "42",
                        "ground_truth": "42",
                        "score": float(rng.random() < 1 - hard * (1 - skill / (len(models) + 2))),
                        "prompt_tokens": int(rng.integers(20, 400)),
                        "completion_tokens": int(rng.integers(1, 2000)),
                        "cost": float(rng.random() / 100),
                    }
                    for index, hard in enumerate(hardness, start=1)
                ]
                file = root / dataset / split / model / f"{dataset}-{split}-{model}-20251001_120000.json"
                file.parent.mkdir(parents=True)
                content = {"dataset_name": dataset, "split": split, "model_name": model, "demo": False}
                file.write_text(json.dumps(content | {"records": records}))
        return root

    return build
