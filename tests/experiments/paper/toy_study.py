"""A toy pool under names that nobody expects, two toy encoders with caches, and training in this process."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from omegaconf import OmegaConf

from experiments.paper.asked import Asked
from prefillroute.config.compose import compose_run
from prefillroute.extraction.run import extract
from prefillroute.jobs.status import Status
from prefillroute.outcomes.files import write_outcomes
from prefillroute.training.run import train_router
from tests.training.conftest import Given

POOL = "odd"
TARGETS = ("cheap", 'a,b [x] $1$ "q"', "always right")
"""The last one has one class."""
SMALL, LARGE = "small_one", "large-one.v2"
SIZES = {SMALL: 0.1, LARGE: 1.5}
NUM_QUERIES, WIDTH = 300, 6
QUICK = (
    "split=calibrated", "split.test_size=0.3", "trainer.num_members=2", "trainer.num_kept=1", "trainer.max_epochs=4",
    "trainer.progress_bar=false", "evaluation.num_resamples=20", "report=false", "bundle=false", "threads=1",
)  # fmt: skip


def write_toy(root: Path) -> None:
    """Write pool, outcomes, encoders and caches below `root`, in the places where a checkout has them.

    Of each encoder layer 0 is the same for every query, the deeper layers know more, and the large encoder's least
    noisy layer is closer to the truth than the small one's.
    """
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(NUM_QUERIES, 2))
    chance = 1 / (1 + np.exp(-2.5 * truth))
    correct = np.column_stack([rng.random(chance.shape) < chance, np.ones(NUM_QUERIES)]).astype(float)
    ids = [f"q{row}" for row in range(NUM_QUERIES)]
    prompts = [f"what is {row} + {row % 7}?" for row in range(NUM_QUERIES)]
    queries = pd.DataFrame({"query_id": ids, "benchmark": "toy", "category": "sums", "prompt": prompts})
    outcomes = pd.DataFrame(
        {"query_id": np.repeat(ids, len(TARGETS)), "target": list(TARGETS) * NUM_QUERIES, "correct": correct.ravel(),
         "prompt_tokens": 10, "completion_tokens": 20}
    )  # fmt: skip
    (root / "data" / POOL).mkdir(parents=True)
    write_outcomes(root / "data" / POOL, queries, outcomes)
    targets = [
        {"name": name, "price_in": price, "price_out": 2.0 * price}
        for name, price in zip(TARGETS, (1.0, 2.0, 8.0), strict=True)
    ]
    _write_yaml(
        root / "conf" / "pool" / f"{POOL}.yaml",
        name=POOL,
        outcomes=f"data/{POOL}",
        import_hint="made",
        targets=targets,
    )
    for name, noise in ((SMALL, (4.0, 3.0, 2.0)), (LARGE, (2.0, 0.5, 1.0))):
        layers = [np.ones((NUM_QUERIES, WIDTH))]
        for level in noise:
            known = truth + level * rng.normal(size=truth.shape)
            layers.append(np.column_stack([known, rng.normal(size=(NUM_QUERIES, WIDTH - 2))]))
        values = np.stack(layers, axis=1).astype(np.float32)
        extract(Given(name, values, prompts, ("last", "mean")), ids, prompts, root / "caches")
        _write_yaml(
            root / "conf" / "encoder" / f"{name}.yaml",
            name=name, repo="made", num_layers=len(noise), hidden_size=WIDTH, context_length=99,
            params_b=SIZES[name], prompt_format="plain" if "." in name else "chat",
        )  # fmt: skip


def train_here(command: Sequence[str], check: bool) -> "subprocess.CompletedProcess[bytes]":
    """In place of `subprocess.run` of `python train.py ...`: the same training, without another interpreter."""
    overrides = tuple(command[2:-1])
    folder = Path(command[-1].removeprefix("hydra.run.dir="))
    config = compose_run(overrides)
    (folder / ".hydra").mkdir(parents=True)
    OmegaConf.save(config, folder / ".hydra" / "config.yaml")
    train_router(config, folder)
    Status("finished", overrides).write(folder)
    return subprocess.CompletedProcess(list(command), 0)


def study_of(root: Path, *encoders: str, resamples: int = 40) -> Asked:
    """A study of the toy pool; the current folder is `root`."""
    return Asked(POOL, encoders, root / "out", QUICK, resamples)


def _write_yaml(path: Path, **values: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
