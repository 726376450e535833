"""Toy outcomes under the names of a pool's targets, and finished runs on them where a study looks for its runs."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.paper.asked import Asked
from prefillroute.config.compose import compose_run
from prefillroute.outcomes.files import write_outcomes
from prefillroute.routing.table import ConfidenceTable

SEMANTIC = ("constant", "u_emb_mt:none")
"""Beside SharedTrunkNet on one encoder."""
SEEDS = {"prefill-smollm2_135m": (0.5, 1), "constant": (50.0, 2), "u_emb_mt-none-nv_embed_v2": (3.0, 3)}
"""Run to the noise of its logits and a seed."""
OVERRIDES = {
    "prefill-smollm2_135m": (
        "signal=prefill", "head=shared_trunk", "encoder=smollm2_135m", "mode=single",
    ),
    "constant": ("experiment=semantic/constant",),
    "u_emb_mt-none-nv_embed_v2": ("experiment=semantic/u_emb_mt", "calibration=none", "embedder=nv_embed_v2"),
}  # fmt: skip


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory, make_run: Callable[..., Path]) -> Callable[..., Asked]:
    """A study of a shipped pool on made-up outcomes of its targets; its runs are finished."""

    @cache
    def build(pool: str, missing: float = 0.0) -> Asked:
        tmp_path = tmp_path_factory.mktemp(pool)
        targets = [target.name for target in compose_run([f"pool={pool}"]).pool.targets]
        outcomes, logit = made_up(tmp_path / "data", targets, missing)
        asked = Asked(
            pool, ("smollm2_135m",), tmp_path / "out", (f"pool.outcomes={outcomes}", "split=calibrated"), 25,
            semantic=SEMANTIC, embedders=("nv_embed_v2",),
        )  # fmt: skip
        data = asked.data
        names = data.split.names(len(data.outcomes)).astype(str)
        for run, (noise, seed) in SEEDS.items():
            guess = logit + noise * np.random.default_rng(seed).normal(size=logit.shape)
            confidence = 1 / (1 + np.exp(-guess / (1 + noise)))
            confidence[names == "train"] = np.nan
            num_queries = len(names)
            table = ConfidenceTable(
                query_id=data.outcomes.queries["query_id"].to_numpy(dtype=object),
                split=np.where(names == "train", "train_oof", names).astype(object),
                benchmark=np.full(num_queries, "all", dtype=object),
                targets=tuple(targets),
                confidence=confidence,
                cost_usd=1e-4 * 1.6 ** np.arange(len(targets)) * np.ones((num_queries, 1)),
                realised_cost_usd=np.full(logit.shape, np.nan),
                correct=data.outcomes.correct,
            )
            make_run(asked.folder / "runs" / run, table, (*OVERRIDES[run], *asked.common), pool=pool)
        return asked

    return build


def made_up(folder: Path, targets: list[str], missing: float) -> tuple[Path, np.ndarray]:
    """Outcomes of 240 queries, and the logits (N, M) that they were drawn from."""
    rng = np.random.default_rng(0)
    shape = (240, len(targets))
    logit = rng.normal(size=(240, 1)) + rng.normal(size=shape) + np.linspace(-1, 1, len(targets))
    ids = [f"q{row:03d}" for row in range(240)]
    queries = pd.DataFrame({"query_id": ids, "benchmark": "b", "category": "c", "prompt": ids})
    outcomes = pd.DataFrame(
        {
            "query_id": np.repeat(ids, len(targets)),
            "target": np.tile(targets, 240),
            "correct": (rng.random(shape) < 1 / (1 + np.exp(-logit))).astype(float).ravel(),
            "prompt_tokens": 10,
            "completion_tokens": 20,
            "cost_usd": 0.001,
        }
    )
    write_outcomes(folder, queries, outcomes[rng.random(len(outcomes)) >= missing])
    return folder, logit
