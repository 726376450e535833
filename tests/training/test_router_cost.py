"""`evaluation.router_cost` in a whole run: metrics.json, predictions and report say it, and choices stay the same."""

import json
from pathlib import Path

import pandas as pd
import pytest
from omegaconf import OmegaConf

from prefillroute.errors import UserError
from prefillroute.reports.report import facts
from prefillroute.reports.run_folder import read_run_folder
from prefillroute.training.measuring import evaluation_settings
from prefillroute.training.run import train_router
from tests.training.conftest import World

PAID = ("evaluation.router_cost.usd_per_hour=3.6", "evaluation.router_cost.tokens_per_s=1000")
SIMPLE = (
    "layers=final",
    "layers.dim=4",
    "head=logistic",
    "bundle=false",
    "report=false",
    "evaluation.num_resamples=0",
)


def run(world: World, folder: Path, *overrides: str) -> dict:
    config = world.config(*SIMPLE, *overrides)
    train_router(config, folder)
    OmegaConf.save(config, folder / ".hydra" / "config.yaml")
    return json.loads((folder / "metrics.json").read_text())


def test_a_run_pays_for_what_its_encoder_reads(world: World, tmp_path: Path) -> None:
    free, paid = run(world, tmp_path / "free"), run(world, tmp_path / "paid", *PAID)
    old, new = (pd.read_parquet(tmp_path / name / "predictions.parquet") for name in ("free", "paid"))
    pd.testing.assert_frame_equal(old, new.drop(columns="router_cost_usd"))
    prompts = pd.read_parquet(world.folder / "queries.parquet").set_index("query_id")["prompt"]
    tokens = new["query_id"].map(prompts.str.len())  # the toy tokenizer's tokens are letters
    assert new["router_cost_usd"].to_numpy() == pytest.approx(tokens.to_numpy() * 1e-6)
    mean = new.loc[new["split"] == "test", "router_cost_usd"].mean()
    assert paid["test"]["router_cost"] == pytest.approx(mean)
    assert free["test"]["router_cost"] == 0
    difference = paid["test"]["routed_cost_lambda0"] - free["test"]["routed_cost_lambda0"]
    assert difference == pytest.approx(mean)
    assert free["choice"] == paid["choice"]
    for name, said in (("free", False), ("paid", True)):
        assert ("router's own cost" in dict(facts(read_run_folder(tmp_path / name)))) == said


def test_a_predictor_without_encoder_pays_nothing(world: World, tmp_path: Path) -> None:
    found = run(world, tmp_path / "run", "signal=category", "head=constant", *PAID)
    assert found["test"]["router_cost"] == 0


def test_a_rent_without_a_speed_is_refused_before_anything_is_trained(world: World, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"evaluation.router_cost.tokens_per_s: expected .* found null"):
        run(world, tmp_path / "run", PAID[0])
    assert not (tmp_path / "run").exists()
    assert "router_cost" not in evaluation_settings(world.config(*PAID))
