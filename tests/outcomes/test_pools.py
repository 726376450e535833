import re
from pathlib import Path

import pandas as pd
import pytest
from omegaconf import OmegaConf

from prefillroute.config.compose import compose_run, conf_dir, fact
from prefillroute.config.facts import PoolConfig
from prefillroute.outcomes.costs.observed import ObservedCost
from prefillroute.outcomes.costs.tokens import TokenCost
from prefillroute.outcomes.pool import load_pool, pool_targets
from prefillroute.outcomes.splits import StratifiedSplit

POOLS = sorted(file.stem for file in (conf_dir() / "pool").glob("*.yaml"))
SIZES = {
    "mmlu_pro_all": 33, "mmlu_pro": 19, "mmlu_pro_six": 6, "reasoning_gym_easy": 10, "zeroeval": 42,
    "openhands_swe": 34, "frontier": 11, "small": 20, "mixed": 9,
}  # fmt: skip


def pool_of(name: str, data: Path | str = "data") -> PoolConfig:
    return fact(compose_run([f"pool={name}", f"paths.data={data}"], config_name="pool").pool, PoolConfig)


def test_every_pool_is_counted():
    assert set(POOLS) == set(SIZES)


@pytest.mark.parametrize("name", POOLS)
def test_pool_facts(name):
    pool = pool_of(name)
    assert pool.name == name
    assert len(pool.targets) == SIZES[name]
    assert "prefillroute import" in pool.import_hint
    for target in pool_targets(pool.targets, pool.exclude):
        if target.price_in is None:
            assert name in ("frontier",), target.name
        else:
            assert re.search(r"20\d\d", target.price_date or ""), target.name
            assert "unverified" in (target.price_date or ""), target.name


@pytest.mark.shared_data
@pytest.mark.parametrize("name", [name for name in POOLS if name not in ("frontier", "small", "mixed")])
def test_pools_fit_the_data(shared_data, name):
    pool = pool_of(name, shared_data)
    folder = Path(pool.outcomes)
    names = {target.name for target in pool.targets}
    there = set(pd.read_parquet(folder / "outcomes.parquet", columns=["target"])["target"])
    assert names <= there
    if name not in ("mmlu_pro", "mmlu_pro_six"):
        assert names == there
    published = {entry["id"]: entry for entry in OmegaConf.load(folder / "targets.yaml").models}
    for target in pool.targets:
        entry = published[target.name]
        assert (target.price_in, target.price_out) == (entry.usd_per_1m_input, entry.usd_per_1m_output)

    targets, outcomes = load_pool(pool.targets, pool.outcomes, pool.exclude)
    split = StratifiedSplit().split(outcomes)
    cost = TokenCost().fit(
        outcomes, split.train, targets, outcomes.queries["prompt"].str.len().to_numpy() / 4
    )
    low, high = cost.cost_range_
    assert 0 < low < high
    if name == "openhands_swe":
        observed = ObservedCost().fit(outcomes, split.train, targets)
        assert cost.cost_range_ == observed.cost_range_
    else:
        assert (cost.slope_ >= 0).all()


@pytest.mark.shared_data
def test_the_base_models_are_what_mmlu_pro_leaves_out(shared_data):
    models = OmegaConf.load(shared_data / "mmlu_pro" / "targets.yaml").models
    base = {entry.id for entry in models if "(base)" in entry.display_name}
    everything = {target.name for target in pool_of("mmlu_pro_all").targets}
    assert everything - {target.name for target in pool_of("mmlu_pro").targets} == base
    assert len(base) == 14
