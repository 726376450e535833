"""The ceiling of a study over a finished run."""

import json

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf

from experiments.paper.asked import Asked
from experiments.paper.parts import ceiling
from prefillroute.jobs.status import Status
from prefillroute.outcomes.files import write_outcomes
from prefillroute.routing.evaluation import evaluate
from prefillroute.routing.table import ConfidenceTable

TARGETS = ("small", "medium", "large")
QUERIES = 240


@pytest.fixture
def asked(tmp_path) -> Asked:
    """A pool on disk, and the run of an encoder whose router knows each query's difficulty."""
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(QUERIES, 1)) + rng.normal(size=(QUERIES, 3)) + [-0.5, 0.0, 0.5]
    correct = (rng.random(latent.shape) < 1 / (1 + np.exp(-latent))).astype(float)
    ids = np.array([f"q{row}" for row in range(QUERIES)], dtype=object)
    queries = pd.DataFrame(
        {
            "query_id": ids,
            "benchmark": "b",
            "category": "c",
            "prompt": [f"what is {row}?" for row in range(QUERIES)],
        }
    )
    outcomes = pd.DataFrame(
        {"query_id": np.repeat(ids, 3), "target": TARGETS * QUERIES, "correct": correct.ravel(), "prompt_tokens": 9,
         "completion_tokens": 9}
    )  # fmt: skip
    write_outcomes(tmp_path / "data", queries, outcomes)
    targets = ",".join(
        f"{{name:{name},price_in:1,price_out:{2 + place}}}" for place, name in enumerate(TARGETS)
    )
    overrides = (
        "split=calibrated", f"pool.outcomes={tmp_path / 'data'}", f"pool.targets=[{targets}]", "pool.max_queries=null",
    )  # fmt: skip
    asked = Asked("mmlu_pro_six", ("toy",), tmp_path / "out", overrides, num_resamples=20)
    table = ConfidenceTable(
        ids, np.where(np.arange(QUERIES) % 3, "test", "calibration").astype(object), ids, TARGETS,
        1 / (1 + np.exp(-latent)), np.tile([1.0, 2.0, 5.0], (QUERIES, 1)), np.full(latent.shape, np.nan), correct,
    )  # fmt: skip
    folder = asked.folder / "runs" / "prefill-toy"
    (folder / ".hydra").mkdir(parents=True)
    OmegaConf.save({"pool": {"correct_threshold": 0.5}}, folder / ".hydra" / "config.yaml")
    table.to_frame().to_parquet(folder / "predictions.parquet")
    metrics = evaluate(table, num_resamples=2, grid_size=3).metrics
    (folder / "metrics.json").write_text(json.dumps(metrics))
    own = ("signal=prefill", "head=shared_trunk", "encoder=toy", "mode=single")
    Status("finished", (*own, *asked.common)).write(folder)
    return asked


def test_a_pool_of_three_targets_is_refused_with_its_reason_and_its_figures(asked, tmp_path):
    section = ceiling.run(asked)
    assert section.notes[0].startswith("refused: a ceiling needs at least 12 targets, found 3")
    found, dimensions = (sheet.frame for sheet in section.sheets)
    assert found["measure"].tolist() == ["accuracy_gain_lambda0", "hull_gain"]
    assert found["refused"].all()
    assert (found["perfect"] < found["oracle"]).all()
    assert (found["gain"] < found["oracle"]).all()
    assert dimensions["factors"].tolist() == [0, 1]
    assert "refused" in section.sheets[0].markdown()
    page = section.write(tmp_path / "part", "toy").read_text()
    assert (
        "The oracle&#39;s headroom on mmlu_pro_six" in page or "The oracle's headroom on mmlu_pro_six" in page
    )
