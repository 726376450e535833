"""Every mode meets the same promises with every chooser; both are found by listing conf/."""

import itertools
import json

import numpy as np
import pytest

from prefillroute.config.build import build
from prefillroute.config.compose import compose_run
from prefillroute.errors import UserError
from prefillroute.layers.choice import LayerChoice
from prefillroute.layers.features import fit_transform_groups
from prefillroute.modes.contract import Mode
from prefillroute.spec import restore, store
from tests.layers.toys import CHOOSERS, build_chooser
from tests.modes.worlds import ENCODERS, MODES, build_mode, build_world
from tests.stated_defaults import contradicted

PAIRS = list(itertools.product(MODES, CHOOSERS))


def compares(mode: str) -> bool:
    """Whether a mode needs scores that rate the blocks for each target: it says so by refusing what has none."""
    try:
        build_world(60).choose(build_mode(mode), build_chooser("final"))
    except UserError:
        return True
    return False


@pytest.fixture(scope="module")
def comparing() -> set[str]:
    return {mode for mode in MODES if compares(mode)}


@pytest.mark.parametrize(("name", "layers"), PAIRS)
def test_choice_is_whole(name: str, layers: str, comparing: set[str]) -> None:
    world, mode, chooser = build_world(), build_mode(name), build_chooser(layers)
    if name in comparing and chooser.rated_by is None:
        with pytest.raises(
            UserError, match=rf"mode={name}: .*layers=cv_probe, found {type(chooser).__name__};"
        ):
            world.choose(mode, chooser)
        assert world.asked == []  # refused before anything is computed
        return
    choice = world.choose(mode, chooser)
    asked = [encoder for encoder, _ in world.asked]
    assert len(set(asked)) == len(asked)
    assert set(asked) <= set(mode.encoders)
    assert len(set(choice.blocks)) == len(choice.blocks)
    assert list(choice.per_target) == list(world.task.targets)
    assert set(choice.per_target.values()) <= set(range(len(choice.blocks)))
    assert choice.depths == {encoder: {"toy": 4, "other": 2}[encoder] for encoder in asked}
    assert not choice.table.duplicated(["encoder", "layer", "pooling", "dim", "target"]).any()
    assert LayerChoice.from_dict(json.loads(json.dumps(choice.to_dict()))) == choice
    again = world.choose(restore(json.loads(json.dumps(store(mode)[0])), {}, Mode), chooser)
    assert again == choice
    masks = np.ones((1, len(world.task.labels)), dtype=bool)
    features, _ = fit_transform_groups(world.sources, choice.blocks, masks)
    assert features.shape == (1, masks.size, sum(block.dim for block in choice.blocks))


@pytest.mark.parametrize("name", MODES)
def test_a_mode_is_stored_as_plain_values(name: str) -> None:
    mode = build_mode(name)
    spec, arrays = store(mode)
    assert arrays == {}
    again = restore(json.loads(json.dumps(spec)), {}, Mode)
    assert type(again) is type(mode)
    assert again.encoders == mode.encoders
    assert store(again) == (spec, {})
    assert set(mode.encoders) <= set(ENCODERS)


@pytest.mark.parametrize("name", MODES)
def test_a_target_of_one_class_is_named_and_served(name: str) -> None:
    world = build_world()
    world.task.labels[:, 1] = 1.0
    choice = world.choose(build_mode(name), build_chooser("cv_probe"))
    assert choice.unscored == ("target1",)
    assert list(choice.per_target) == list(world.task.targets)


@pytest.mark.parametrize("name", MODES)
def test_options_compose_from_the_command_line(name: str) -> None:
    overrides = {
        "per_model": ["mode.encoders={gpt-5: gpt_oss_20b, kimi-k2: qwen35_35b}", "mode.default=null"],
    }.get(name, ["mode.encoders=[gpt_oss_20b,qwen35_35b]"] if name != "single" else ["encoder=gpt_oss_20b"])
    mode = build(compose_run([f"mode={name}", *overrides]).mode)
    assert mode.encoders == ("gpt_oss_20b", "qwen35_35b")[: len(mode.encoders)]


def test_a_run_reads_one_encoder_unless_told_otherwise() -> None:
    assert build(compose_run(["encoder=qwen35_08b"]).mode).encoders == ("qwen35_08b",)


def test_defaults_are_those_of_conf() -> None:
    assert contradicted("mode") == {}
