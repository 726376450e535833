import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from omegaconf import OmegaConf

from prefillroute.config.compose import compose_run, fact
from prefillroute.config.facts import PoolConfig, TargetConfig
from prefillroute.config.search import conf_dir
from prefillroute.errors import UserError
from prefillroute.outcomes.costs.observed import ObservedCost
from prefillroute.outcomes.costs.tokens import TokenCost
from prefillroute.outcomes.files import write_outcomes
from prefillroute.outcomes.importers import llmrouterbench
from prefillroute.outcomes.importers.collector import Collector
from prefillroute.outcomes.importers.contract import Given
from prefillroute.outcomes.pool import load_pool, pool_targets
from prefillroute.outcomes.splits import StratifiedSplit

SIZES = {
    "mmlu_pro_all": 33, "mmlu_pro": 19, "mmlu_pro_six": 6, "reasoning_gym_easy": 10, "zeroeval": 42,
    "openhands_swe": 34, "frontier": 11, "small": 20, "mixed": 9,
    "starter": 4,
}  # fmt: skip
"""Targets of the pools that ship; a pool of a user's own may lie beside them."""
OWN = "starter"
"""Made by us: no import, no price list."""


def pool_of(name: str, data: Path | str = "data") -> PoolConfig:
    return fact(compose_run([f"pool={name}", f"paths.data={data}"], config_name="pool").pool, PoolConfig)


def test_every_pool_that_ships_is_counted():
    folder = conf_dir() / "pool"
    listed = subprocess.run(
        ["git", "ls-files", "--", "."], cwd=folder, capture_output=True, text=True, check=False
    ).stdout.split()  # nothing outside a repository: then all that is there ships
    files = listed or [path.name for path in folder.iterdir()]
    assert {name.removesuffix(".yaml") for name in files} == set(SIZES)


@pytest.mark.parametrize("name", SIZES)
def test_pool_facts(name):
    pool = pool_of(name)
    assert pool.name == name
    assert len(pool.targets) == SIZES[name]
    assert ("experiments.starter_pool" if name == OWN else "prefillroute import") in pool.import_hint
    for target in pool_targets(pool.targets, pool.exclude):
        if target.price_in is None:
            assert name in ("frontier",), target.name
        elif name == OWN:
            assert target.price_date == "made up"
        else:
            assert re.search(r"20\d\d", target.price_date or ""), target.name
            assert "unverified" in (target.price_date or ""), target.name


@pytest.mark.shared_data
@pytest.mark.parametrize("name", [name for name in SIZES if name not in ("frontier", "small", "mixed", OWN)])
def test_pools_fit_the_data(real_data, name):
    pool = pool_of(name)
    folder = real_data(Path(pool.outcomes).name)
    names = {target.name for target in pool.targets}
    there = set(pd.read_parquet(folder / "outcomes.parquet", columns=["target"])["target"])
    assert names <= there
    if name not in ("mmlu_pro", "mmlu_pro_six"):
        assert names == there
    published = {entry["id"]: entry for entry in OmegaConf.load(folder / "targets.yaml").models}
    for target in pool.targets:
        entry = published[target.name]
        assert (target.price_in, target.price_out) == (entry.usd_per_1m_input, entry.usd_per_1m_output)

    targets, outcomes = load_pool(pool.targets, folder, pool.exclude)
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


def imported(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    collector = Collector()
    llmrouterbench.read(Given.at([folder], llmrouterbench.find), collector, lambda size: None)
    return collector.frames()


@pytest.mark.parametrize("name", ["frontier", "small"])
def test_paper_pools_from_llmrouterbench(llmrouterbench_folder, tmp_path, name):
    pool = pool_of(name, tmp_path)
    write_outcomes(pool.outcomes, *imported(llmrouterbench_folder([target.name for target in pool.targets])))
    targets, outcomes = load_pool(pool.targets, pool.outcomes, pool.exclude)
    assert outcomes.correct.shape == (300, SIZES[name])
    assert outcomes.complete.all()
    split = StratifiedSplit().split(outcomes)
    cost = TokenCost().fit(
        outcomes, split.train, targets, outcomes.queries["prompt"].str.len().to_numpy() / 4
    )
    by_bill = [target.name for target, observed in zip(targets, cost.observed_, strict=True) if observed > 0]
    assert by_bill == (["openrouter"] if name == "frontier" else [])


def test_pools_that_share_a_folder_take_their_own_queries(llmrouterbench_folder, tmp_path):
    counts = {"frontier": 40, "small": 60}
    frames = []
    for name, count in counts.items():
        names = [target.name for target in pool_of(name).targets]
        root = llmrouterbench_folder(names, num_queries=count)
        frames.append([frame.assign(query_id=name + frame["query_id"]) for frame in imported(root)])
        shutil.rmtree(root)
    write_outcomes(
        tmp_path / "llmrouterbench",
        *(pd.concat(pair, ignore_index=True) for pair in zip(*frames, strict=True)),
    )
    for name, count in counts.items():
        pool = pool_of(name, tmp_path)
        assert len(load_pool(pool.targets, pool.outcomes)[1]) == count
        assert len(load_pool(pool.targets, pool.outcomes, max_queries=30)[1]) == 30


@pytest.mark.shared_data
def test_the_base_models_are_what_mmlu_pro_leaves_out(real_data):
    models = OmegaConf.load(real_data("mmlu_pro") / "targets.yaml").models
    base = {entry.id for entry in models if "(base)" in entry.display_name}
    everything = {target.name for target in pool_of("mmlu_pro_all").targets}
    assert everything - {target.name for target in pool_of("mmlu_pro").targets} == base
    assert len(base) == 14


def test_pool_targets():
    targets = [TargetConfig(f"m{number}") for number in range(3)]
    assert [target.name for target in pool_targets(targets, ["m1"])] == ["m0", "m2"]
    with pytest.raises(UserError, match=r"pool.exclude: expected names among m0, m1, m2, found 'm9'"):
        pool_targets(targets, ["m9"])
    with pytest.raises(UserError, match=r"pool.targets: expected at least 2 to choose between, found 1"):
        pool_targets(targets, ["m1", "m2"])
    with pytest.raises(UserError, match=r"pool.targets: expected every name once, found 'm0' 2 times"):
        pool_targets([*targets, TargetConfig("m0")])
