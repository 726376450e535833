"""What distinguishes the modes, against brute force."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefillroute.errors import UserError
from prefillroute.layers.choice import Block, LayerChoice
from prefillroute.layers.contract import ProbeTask
from prefillroute.layers.source import ArraySource
from prefillroute.layers.table import ProbeTable
from prefillroute.modes.auto import Auto
from prefillroute.modes.fusion import Fusion
from prefillroute.modes.per_model import PerModel
from prefillroute.modes.single import Single
from tests.layers.toys import CHOOSERS, build_chooser, build_toy
from tests.modes.worlds import World, build_world, made_up_table

TARGETS = ("a", "b", "c", "d")


def taken(choice: LayerChoice) -> dict[str, Block]:
    return {target: choice.blocks[index] for target, index in choice.per_target.items()}


def random_tables(seed: int) -> dict[str, ProbeTable]:
    """Three encoders of different depths, with ties and unscored targets."""
    rng = np.random.default_rng(seed)
    tables = {}
    known = rng.random(len(TARGETS)) < 0.8
    known[rng.integers(len(TARGETS))] = True
    for name in ("e1", "e2", "e3"):
        auc = rng.random((rng.integers(1, 6), len(TARGETS))).round(1)
        auc[rng.random(auc.shape) < 0.1] = np.nan
        auc[0] = np.where(np.isnan(auc[0]), 0.1, auc[0])
        auc[:, ~known] = np.nan
        tables[name] = made_up_table(name, auc, TARGETS)
    return tables


def best_block(tables: list[ProbeTable], blocks: list[Block], target: str) -> Block | None:
    """The first of the blocks with the greatest AUC, one score at a time."""
    found, greatest = None, -np.inf
    for table in tables:
        for block in table.blocks:
            row = table.frame[(table.frame["target"] == target) & (table.frame["layer"] == block.layers[0])]
            if block in blocks and row["auc"].item() > greatest:  # false for NaN
                found, greatest = block, row["auc"].item()
    return found


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_auto_gives_every_target_its_best_block_of_all_encoders(seed: int) -> None:
    tables = random_tables(seed)
    chooser = build_chooser("cv_probe", max_blocks=99)
    task = replace(build_toy(20).task, targets=TARGETS)
    choice = Auto(list(tables)).choose(chooser, lambda encoder, _: tables[encoder], task)
    every = [block for table in tables.values() for block in table.blocks]
    for target, block in taken(choice).items():
        expected = best_block(list(tables.values()), every, target)
        assert (target in choice.unscored) == (expected is None)
        assert expected in (None, block)
    assert len(choice.table) == len(every) * len(TARGETS)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), max_blocks=st.integers(1, 3))
def test_fusion_is_the_concatenation_of_what_each_encoder_chooses(seed: int, max_blocks: int) -> None:
    tables = random_tables(seed)
    chooser = build_chooser("cv_probe", max_blocks=max_blocks)
    task = replace(build_toy(20).task, targets=TARGETS)
    choice = Fusion(list(tables)).choose(chooser, lambda encoder, _: tables[encoder], task)
    own = [chooser.select(table) for table in tables.values()]
    assert choice.blocks == tuple(block for each in own for block in each.blocks)
    for target, block in taken(choice).items():
        expected = best_block(list(tables.values()), list(choice.blocks), target)
        assert expected in (None, block)


@pytest.mark.parametrize("layers", CHOOSERS)
def test_single_is_the_choosers_own_choice(layers: str) -> None:
    world, chooser = build_world(), build_chooser(layers)
    for name, source in world.sources.items():
        choice, own = world.choose(Single(name), chooser), chooser.choose(source, world.task)
        assert choice == own
        pd.testing.assert_frame_equal(choice.table, own.table, check_exact=True)


@pytest.mark.parametrize("layers", CHOOSERS)
def test_fusion_stands_side_by_side(layers: str) -> None:
    world, chooser = build_world(), build_chooser(layers)
    choice = world.choose(Fusion(["other", "toy"]), chooser)
    own = [chooser.choose(world.sources[name], world.task) for name in ("other", "toy")]
    assert choice.blocks == own[0].blocks + own[1].blocks
    pd.testing.assert_frame_equal(
        choice.table, pd.concat([each.table for each in own], ignore_index=True), check_exact=True
    )


@pytest.mark.parametrize("layers", CHOOSERS)
def test_per_model_is_the_separate_choices(layers: str) -> None:
    world, chooser = build_world(), build_chooser(layers)
    choice = world.choose(PerModel({"target2": "toy", "target0": "toy"}, default="other"), chooser)
    assert world.asked == [("toy", ("target0", "target2")), ("other", ("target1", "target3"))]
    own = {
        name: chooser.choose(world.sources[name], world.task.only(targets)) for name, targets in world.asked
    }
    assert choice.blocks == own["toy"].blocks + own["other"].blocks
    for name, targets in world.asked:
        for target in targets:
            assert taken(choice)[target] == taken(own[name])[target]
    pd.testing.assert_frame_equal(
        choice.table, pd.concat([each.table for each in own.values()], ignore_index=True), check_exact=True
    )


@pytest.mark.parametrize("encoders", [{}, {f"target{number}": "toy" for number in range(4)}])
def test_per_model_with_one_encoder_for_all_is_single(encoders: dict[str, str]) -> None:
    world, chooser = build_world(), build_chooser("fisher", layers="all")
    default = "other" if encoders else "toy"  # a default that no target needs is not scored
    choice = world.choose(PerModel(encoders, default), chooser)
    assert [encoder for encoder, _ in world.asked] == ["toy"]
    own = chooser.choose(world.sources["toy"], world.task)
    assert choice == own
    assert choice.notes == own.notes == ("constant, never chosen: layer 0 last",)


def test_auto_finds_the_encoder_that_knows_each_target() -> None:
    """Layer 1 of each encoder has the outcomes of its own two targets, and noise elsewhere."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, size=(300, 4)).astype(float)
    known = {"toy": [0, 2], "other": [1, 3]}
    sources = {}
    for name, width in (("toy", 6), ("other", 9)):
        stack = rng.normal(size=(300, 3, width))
        stack[:, 1, :2] += 3 * labels[:, known[name]]
        sources[name] = ArraySource.from_stack(name, {"mean": stack})
    world = World(sources, ProbeTask(labels, np.arange(300) % 5, TARGETS))
    chooser = build_chooser("cv_probe", layers="all", poolings=["mean"], dims=(5,))
    choice = world.choose(Auto(["other", "toy"]), chooser)
    found = {target: (block.encoder, block.layers) for target, block in taken(choice).items()}
    assert found == {"a": ("toy", (1,)), "b": ("other", (1,)), "c": ("toy", (1,)), "d": ("other", (1,))}
    assert [block.encoder for block in choice.blocks] == ["other", "toy"]


def test_of_equal_encoders_auto_takes_the_earlier() -> None:
    toy = build_toy(200)
    twin = build_toy(200).source
    twin.encoder = "twin"
    world = World({"toy": toy.source, "twin": twin}, toy.task)
    for order in (["toy", "twin"], ["twin", "toy"]):
        choice = world.choose(Auto(order), build_chooser("cv_probe"))
        assert choice.encoders == (order[0],)
        assert set(choice.table["encoder"]) == set(order)


def test_the_limit_of_blocks_is_for_all_encoders_in_auto_and_for_each_in_fusion() -> None:
    tables = {
        name: made_up_table(name, np.eye(4)[rows], TARGETS) for name, rows in (("e1", [0, 1]), ("e2", [2, 3]))
    }
    chooser = build_chooser("cv_probe", max_blocks=2)
    task = replace(build_toy(20).task, targets=TARGETS)
    chosen = {
        mode: mode(["e1", "e2"]).choose(chooser, lambda encoder, _: tables[encoder], task)
        for mode in (Auto, Fusion)
    }
    assert len(chosen[Auto].blocks) == 2
    assert len(chosen[Fusion].blocks) == 4
    assert [block.encoder for block in taken(chosen[Fusion]).values()] == ["e1", "e1", "e2", "e2"]


@pytest.mark.parametrize("mode", [Auto, Fusion])
@pytest.mark.parametrize(
    ("encoders", "said"),
    [
        (
            [],
            r"expected at least two encoders for mode=(auto|fusion), .* found none; mode=single reads one",
        ),
        (["x"], r"expected at least two encoders .* found x; mode=single reads one"),
        (["x", "y", "x"], "expected each encoder once, found x more than once"),
        ("xy", r"expected a list of names, .* found 'xy'"),
        ([None, "x"], "expected a list of names"),
    ],
)
def test_what_is_no_list_of_several_encoders_is_refused(mode: type, encoders: list[str], said: str) -> None:
    with pytest.raises(UserError, match=rf"^mode\.encoders: {said}"):
        mode(encoders)


def test_per_model_names_what_is_wrong() -> None:
    world, chooser = build_world(60), build_chooser("fisher")
    with pytest.raises(
        UserError, match=r"expected targets of the pool, target0, target1, target2, target3, found x, y$"
    ):
        world.choose(PerModel({"x": "toy", "target1": "toy", "y": "toy"}, "toy"), chooser)
    with pytest.raises(
        UserError, match=r"mode\.default: .* does not name, target0, target2, target3, found null"
    ):
        world.choose(PerModel({"target1": "toy"}), chooser)
    with pytest.raises(UserError, match=r"mode\.encoders: .* found neither"):
        PerModel({})
    with pytest.raises(UserError, match="the name of an encoder for target a, found None"):
        PerModel({"a": None})
    with pytest.raises(UserError, match=r"mode\.encoders: expected encoders of targets, .* found 'toy'$"):
        PerModel("toy", "other")
    assert world.asked == []


def test_an_encoder_without_anything_to_choose_is_named() -> None:
    world, chooser = build_world(60), build_chooser("fisher")
    world.task.labels[:, 1] = 1.0
    with pytest.raises(
        UserError, match="encoder other for the targets target1: layers: expected at least one"
    ):
        world.choose(PerModel({"target1": "other"}, "toy"), chooser)
    world.sources["other"].arrays.update({key: np.ones((60, 16)) for key in world.sources["other"].arrays})
    with pytest.raises(
        UserError, match=r"encoder other for the targets target0, target1, .*: layers: expected"
    ):
        world.choose(Fusion(["toy", "other"]), chooser)
    choice = world.choose(Auto(["toy", "other"]), chooser)  # an encoder may be left without a block
    assert choice.encoders == ("toy",)
    assert [note.split(":")[0] for note in choice.notes] == ["other"]
