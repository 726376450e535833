"""Every option of every group composes, has nothing missing and binds to its constructor: found by listing conf/."""

import inspect
import itertools
from pathlib import Path
from typing import Any

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.loggers import Logger

from prefillroute.config.build import check_arguments
from prefillroute.config.compose import compose_run, read_fact
from prefillroute.config.facts import ProviderConfig, TargetConfig
from prefillroute.config.search import conf_dir
from prefillroute.extraction.backends.contract import Backend
from prefillroute.harness.requests import target_request
from prefillroute.heads.contract import Head

CONF = conf_dir()
RUNTIME = {
    Head: tuple(inspect.signature(Head).parameters),
    Logger: ("save_dir",),
    Backend: ("facts", "request"),
}
"""By base class: what the run passes to a constructor beside the choice's own hyper-parameters."""
ROOTS = {"extraction": "extract", "benchmark": "collect"}
READ_ALONE = {"provider": ProviderConfig}
"""Facts that a run reads by name, one for each target, and composes nothing of."""


def options() -> list[tuple[str, str]]:
    found = []
    for path in sorted(CONF.glob("*/*.yaml")):
        if path.parent.name != "experiment":
            found.append((path.parent.name, path.stem))
    return found


def choices_of(config: DictConfig) -> list[tuple[str, Any]]:
    return [
        (str(key), node)
        for key, node in config.items()
        if isinstance(node, DictConfig) and "_target_" in node
    ]


@pytest.mark.parametrize(("group", "option"), options(), ids="=".join)
def test_option_composes_and_binds(group: str, option: str) -> None:
    if group in READ_ALONE:
        provider = read_fact(group, option, READ_ALONE[group])
        for mode in provider.modes:
            target_request(TargetConfig(name="a", provider=option, mode=mode), provider, max_tokens=128_000)
        return
    root = ROOTS.get(group, "config")
    config = compose_run([f"{group}={option}"], config_name=root)
    assert OmegaConf.missing_keys(config) == set()
    OmegaConf.to_container(config, resolve=True)  # a broken interpolation raises here
    if "_target_" in config[group]:
        check_arguments(config[group], runtime(config[group]))
    if "tracker" in config[group]:
        check_arguments(config[group].tracker, ("make", "card"))


def runtime(node: DictConfig) -> tuple[str, ...]:
    target = get_object(node._target_)
    bases = target.__mro__ if inspect.isclass(target) else ()
    return next((RUNTIME[base] for base in bases if base in RUNTIME), ())


def experiments() -> list[str]:
    folder = CONF / "experiment"
    return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.yaml"))


def swept(name: str) -> list[list[str]]:
    """Per swept key of an experiment, its overrides; empty for a single run. Globs are resolved."""
    raw = OmegaConf.load(CONF / "experiment" / f"{name}.yaml")
    params = OmegaConf.select(raw, "hydra.sweeper.params") or {}
    loader = ConfigLoaderImpl(create_config_search_path(str(CONF)))
    overrides = OverridesParser.create(loader).parse_overrides([f"{k}={v}" for k, v in params.items()])
    return [
        [f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()]
        if override.is_sweep_override()
        else [f"{override.get_key_element()}={override.get_value_element_as_str()}"]
        for override in overrides
    ]


@pytest.mark.parametrize("name", experiments())
def test_every_job_of_a_shipped_sweep_composes(name: str) -> None:
    keys = swept(name)
    jobs: list[tuple[str, ...]] = list(itertools.product(*keys))
    if len(jobs) > 50:  # then every value once, beside the first of the other keys
        jobs = [
            (*(other[0] for other in keys[:at]), value, *(other[0] for other in keys[at + 1 :]))
            for at, values in enumerate(keys)
            for value in values
            if "semantic=" not in value  # each is an experiment of its own, and composed as one
        ]
    for job in jobs:
        config = compose_run([f"experiment={name}", *job])
        assert OmegaConf.missing_keys(config) == set()
        for _, node in choices_of(config):
            check_arguments(node, runtime(node))


def test_the_semantic_grid_is_as_large_as_the_papers() -> None:
    routers, calibrations = swept("semantic/grid")
    assert len(calibrations) == 6
    assert len(routers) >= 80
    assert len(routers) * len(calibrations) > 400


def test_every_room_of_choices_has_options() -> None:
    groups = {group for group, _ in options()}
    assert groups >= {
        "encoder", "pool", "signal", "pooling", "layers", "mode", "split", "cost",
        "head", "calibration", "policy", "embedder", "language_model", "trainer", "logger", "paths", "extraction",
        "benchmark", "provider",
    }  # fmt: skip


def test_encoders_of_the_design_are_all_there() -> None:
    named = {option for group, option in options() if group == "encoder"}
    assert named >= {
        "qwen35_122b", "qwen35_35b", "qwen35_08b", "nemotron_super", "nemotron_nano",
        "gpt_oss_120b", "gpt_oss_20b", "smollm2_135m", "smollm2_135m_hub", "gemma3_270m",
    }  # fmt: skip


def test_conf_of_the_checkout_is_the_one_in_use() -> None:
    assert Path(__file__).resolve().parents[2] / "conf" == CONF
