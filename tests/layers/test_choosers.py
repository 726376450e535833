"""Every chooser meets the same promises, found by listing conf/layers."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hydra.utils import get_class

from prefillroute.errors import UserError
from prefillroute.layers.choice import TABLE_COLUMNS, LayerChoice

CONF = Path(__file__).parents[2] / "conf" / "layers"
CHOOSERS = sorted(path.stem for path in CONF.glob("*.yaml"))
MEASURES_AUC = {"cv_probe", "ternary", "concat"}


def build(name: str, **overrides):
    node = yaml.safe_load((CONF / f"{name}.yaml").read_text())
    chooser = get_class(node.pop("_target_"))
    given = {"poolings": ("last", "mean"), "dims": (4, 12), "dim": 12, "permutations": 2, "fisher_dim": 12}
    given = {key: value for key, value in given.items() if key in node} | overrides
    return chooser(**(node | given))


@pytest.mark.parametrize("name", CHOOSERS)
def test_choice_is_whole_and_survives_json(name: str, make_toy) -> None:
    toy = make_toy()
    choice = build(name).choose(toy.source, toy.labels, toy.folds, toy.targets, seed=0)
    assert choice.blocks
    assert len(set(choice.blocks)) == len(choice.blocks)
    assert set(choice.per_target) == set(toy.targets)
    assert set(choice.per_target.values()) <= set(range(len(choice.blocks)))
    assert tuple(choice.table.columns) == TABLE_COLUMNS
    assert choice.table.duplicated(["layer", "pooling", "dim", "target"]).sum() == 0
    assert choice.table["auc"].notna().any() == (name in MEASURES_AUC)
    again = LayerChoice.from_dict(json.loads(json.dumps(choice.to_dict())))
    assert again == choice


@pytest.mark.parametrize("name", CHOOSERS)
def test_choice_is_deterministic(name: str, make_toy) -> None:
    toy = make_toy()
    first, second = (build(name).choose(toy.source, toy.labels, toy.folds, toy.targets, 7) for _ in range(2))
    assert first == second
    pd.testing.assert_frame_equal(first.table, second.table)


@pytest.mark.parametrize("name", CHOOSERS)
def test_constant_layer_is_never_chosen_and_named(name: str, make_toy) -> None:
    toy = make_toy()
    overrides = {"fixed": {"depth": 0.0}, "final": {}, "concat": {"count": 1}}.get(name, {"layers": "all"})
    if name == "concat":
        overrides["layers"] = [0]
    choice = build(name, **overrides).choose(toy.source, toy.labels, toy.folds, toy.targets)
    assert all(block.pooling == "mean" or block.layers != (0,) for block in choice.blocks)
    assert name == "final" or choice.notes == ("constant, never chosen: layer 0 last",)
    constant = choice.table[(choice.table["layer"] == 0) & (choice.table["pooling"] == "last")]
    assert constant[["auc", "fisher_j", "fisher_j_permuted", "d_eff"]].isna().all().all()


@pytest.mark.parametrize("name", CHOOSERS)
def test_one_class_target_is_named_and_still_served(name: str, make_toy) -> None:
    toy = make_toy()
    toy.labels[:, 1] = 1.0
    choice = build(name).choose(toy.source, toy.labels, toy.folds, toy.targets)
    assert choice.per_target["target1"] < len(choice.blocks)
    if name in {*MEASURES_AUC, "fisher"}:
        assert choice.unscored == ("target1",)
        assert choice.table.loc[choice.table["target"] == "target1", ["auc", "fisher_j"]].isna().all().all()


@pytest.mark.parametrize("name", [name for name in CHOOSERS if name != "final"])
def test_unknown_pooling_is_refused_by_name(name: str, make_toy) -> None:
    toy = make_toy()
    with pytest.raises(UserError, match=r"\['first'\].*\['last', 'mean'\]"):
        build(name, poolings=["last", "first"]).choose(toy.source, toy.labels, toy.folds, toy.targets)


@pytest.mark.parametrize("name", ["cv_probe", "fisher", "ternary"])
def test_the_layer_that_knows_most_is_found(name: str, make_toy) -> None:
    toy = make_toy(1500)
    choice = build(name, layers="all").choose(toy.source, toy.labels, toy.folds, toy.targets)
    best = {choice.blocks[index] for index in choice.per_target.values()}
    assert {(block.layers, block.pooling) for block in best} == {((3,), "mean")}


@pytest.mark.parametrize("name", ["cv_probe", "ternary", "concat"])
def test_one_fold_is_refused(name: str, make_toy) -> None:
    toy = make_toy()
    with pytest.raises(UserError, match="at least two folds"):
        build(name).choose(toy.source, toy.labels, np.zeros_like(toy.folds), toy.targets)


def test_progress_reaches_its_total(make_toy) -> None:
    toy = make_toy(100)
    calls: list[tuple[int, int, str]] = []
    build("cv_probe").choose(
        toy.source, toy.labels, toy.folds, toy.targets, 0, lambda *call: calls.append(call)
    )
    assert [done for done, _, _ in calls] == list(range(1, 7))
    assert {total for _, total, _ in calls} == {6}
    assert calls[0][2] == "layer 2 last"


def test_fixed_takes_the_nearest_layer_and_final_wants_the_last(make_toy) -> None:
    toy = make_toy(50)
    given = toy.source, toy.labels, toy.folds, toy.targets
    assert {block.layers for block in build("fixed", depth=0.7).choose(*given).blocks} == {(3,)}
    assert {block.layers for block in build("final").choose(*given).blocks} == {(4,)}
    toy.source.layer_ids = (0, 1, 2)
    with pytest.raises(UserError, match="want layer 4"):
        build("final").choose(*given)
    with pytest.raises(UserError, match="depth"):
        build("fixed", depth=1.5)


def test_concat_stands_several_layers_side_by_side(make_toy) -> None:
    toy = make_toy()
    choice = build("concat", layers="all", count=3, poolings=["mean"]).choose(
        toy.source, toy.labels, toy.folds, toy.targets
    )
    assert [block.layers for block in choice.blocks] == [(0, 2, 4)]
    assert set(choice.table["layer"]) == {4}
