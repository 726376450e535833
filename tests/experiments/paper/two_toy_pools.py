"""A study of toy pools: options of a conf/ in the working folder, caches of made-up vectors, runs in this process."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from omegaconf import OmegaConf

from experiments.paper.asked import Asked
from prefillroute.jobs.status import Status
from prefillroute.outcomes.files import write_outcomes
from prefillroute.training.run import train_router
from tests.training.conftest import NUM_QUERIES, SMALL, TARGETS, WIDTH, make_world


@dataclass(frozen=True)
class HereAsked(Asked):
    """Trains its runs in this process, because a process of its own takes seconds before it begins."""

    def run(self, name: str, *overrides: str) -> Path:
        folder = self.folder / "runs" / name
        if not (folder / "metrics.json").is_file():
            config = self.config(*overrides)
            train_router(config, folder)
            OmegaConf.save(config, folder / ".hydra" / "config.yaml")
            Status("finished", (*overrides, *self.common)).write(folder)
        return folder


def toy_study(folder: Path) -> HereAsked:
    """A study of `toy_a`; `toy_b` has other queries and shares two of its three targets."""
    make_world(folder)
    queries, outcomes = (pd.read_parquet(folder / f"{name}.parquet") for name in ("queries", "outcomes"))
    renamed = {"cheap": "other", "middle": "middle", "dear": "dear"}
    halves = {"toy_a": np.arange(NUM_QUERIES) % 2 == 0, "toy_b": np.arange(NUM_QUERIES) % 2 == 1}
    for name, rows in halves.items():
        some = queries[rows].reset_index(drop=True)
        # Both categories are in both pools and each pool has benchmarks of its own.
        some["benchmark"] = [f"{name} {number % 2}" for number in range(len(some))]
        their = outcomes[outcomes["query_id"].isin(set(some["query_id"]))].reset_index(drop=True)
        targets = TARGETS
        if name == "toy_b":
            their["target"] = their["target"].map(renamed)
            targets = tuple(renamed[target] for target in TARGETS)
        (folder / name).mkdir()
        write_outcomes(folder / name, some, their)
        prices = [{"name": target, "price_in": 1 + m, "price_out": 2 + m} for m, target in enumerate(targets)]
        pool = {"name": name, "outcomes": str(folder / name), "import_hint": "none", "targets": prices}
        (folder / "conf" / "pool").mkdir(parents=True, exist_ok=True)
        OmegaConf.save(OmegaConf.create(pool), folder / "conf" / "pool" / f"{name}.yaml")
    models = ("encoder.name=toy", "encoder.num_layers=2", f"encoder.hidden_size={WIDTH}")
    models += ("embedder.name=toy", f"embedder.dimension={WIDTH}", "language_model.name=toy")
    small = [text for text in SMALL if not text.startswith(("split.", "trainer.max_epochs"))]
    small += ["trainer.max_epochs=20", "trainer.learning_rate=0.01"]
    overrides = ("split=calibrated", *models, *small, f"paths.caches={folder}", "report=false")
    return HereAsked(
        "toy_a",
        ("smollm2_135m",),
        folder / "out",
        (*overrides, "layers=fixed", "layers.depth=0", "evaluation.num_resamples=0"),
        num_resamples=20,
        others=("toy_b",),
    )
