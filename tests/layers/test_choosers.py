"""Every chooser meets the same promises, found by listing conf/layers."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from prefillroute.errors import UserError
from prefillroute.layers.choice import TABLE_COLUMNS, LayerChoice
from prefillroute.layers.contract import LayerChooser
from prefillroute.layers.memo import remembered_table
from prefillroute.layers.table import ProbeTable
from prefillroute.spec import restore, store
from tests.layers.toys import CHOOSERS
from tests.layers.toys import build_chooser as build
from tests.stated_defaults import contradicted

MEASURES_AUC = {"cv_probe", "ternary", "concat"}


def roc_auc_scikit(features: np.ndarray, labels: np.ndarray, folds: np.ndarray, dim: int) -> np.ndarray:
    """Mean over folds of the AUC of scaler, PCA and L2 logistic regression (C = 1), for each column of labels."""
    auc = np.zeros((folds.max() + 1, labels.shape[1]))
    for fold, target in np.ndindex(*auc.shape):
        out = folds == fold
        pipeline = make_pipeline(StandardScaler(), PCA(dim), LogisticRegression())
        pipeline.fit(features[~out], labels[~out, target])
        auc[fold, target] = roc_auc_score(labels[out, target], pipeline.decision_function(features[out]))
    return auc.mean(0)


@pytest.mark.parametrize("name", CHOOSERS)
def test_choice_is_whole_and_survives_json(name: str, make_toy) -> None:
    toy = make_toy()
    choice = build(name).choose(toy.source, toy.task)
    assert choice.blocks
    assert len(set(choice.blocks)) == len(choice.blocks)
    assert set(choice.per_target) == set(toy.task.targets)
    assert set(choice.per_target.values()) <= set(range(len(choice.blocks)))
    assert tuple(choice.table.columns) == TABLE_COLUMNS
    assert choice.table.duplicated(["layer", "pooling", "dim", "target"]).sum() == 0
    assert choice.table["auc"].notna().any() == (name in MEASURES_AUC)
    again = LayerChoice.from_dict(json.loads(json.dumps(choice.to_dict())))
    assert again == choice


@pytest.mark.parametrize("name", CHOOSERS)
def test_choice_is_deterministic(name: str, make_toy) -> None:
    toy = make_toy()
    first, second = (build(name).choose(toy.source, replace(toy.task, seed=7)) for _ in range(2))
    assert first == second
    pd.testing.assert_frame_equal(first.table, second.table)


@pytest.mark.parametrize("name", CHOOSERS)
def test_constant_layer_is_never_chosen_and_named(name: str, make_toy) -> None:
    toy = make_toy()
    overrides = {"fixed": {"depth": 0.0}, "final": {}, "concat": {"count": 1}}.get(name, {"layers": "all"})
    if name == "concat":
        overrides["layers"] = [0]
    choice = build(name, **overrides).choose(toy.source, toy.task)
    assert all(block.pooling == "mean" or block.layers != (0,) for block in choice.blocks)
    assert name == "final" or choice.notes == ("constant, never chosen: layer 0 last",)
    constant = choice.table[(choice.table["layer"] == 0) & (choice.table["pooling"] == "last")]
    assert constant[["auc", "fisher_j", "fisher_j_permuted", "d_eff"]].isna().all().all()


@pytest.mark.parametrize("name", CHOOSERS)
def test_one_class_target_is_named_and_still_served(name: str, make_toy) -> None:
    toy = make_toy()
    toy.task.labels[:, 1] = 1.0
    choice = build(name).choose(toy.source, toy.task)
    assert choice.per_target["target1"] < len(choice.blocks)
    if name in {*MEASURES_AUC, "fisher"}:
        assert choice.unscored == ("target1",)
        assert choice.table.loc[choice.table["target"] == "target1", ["auc", "fisher_j"]].isna().all().all()


@pytest.mark.parametrize("name", [name for name in CHOOSERS if name != "final"])
def test_unknown_pooling_is_refused_by_name(name: str, make_toy) -> None:
    toy = make_toy()
    with pytest.raises(UserError, match=r"\['last', 'mean'\], found \['first'\]"):
        build(name, poolings=["last", "first"]).choose(toy.source, toy.task)


@pytest.mark.parametrize("name", ["cv_probe", "fisher", "ternary"])
def test_the_layer_that_knows_most_is_found(name: str, make_toy) -> None:
    toy = make_toy(1500)
    choice = build(name, layers="all").choose(toy.source, toy.task)
    best = {choice.blocks[index] for index in choice.per_target.values()}
    assert {(block.layers, block.pooling) for block in best} == {((3,), "mean")}


@pytest.mark.parametrize("name", ["cv_probe", "ternary", "concat"])
def test_one_fold_is_refused(name: str, make_toy) -> None:
    toy = make_toy()
    with pytest.raises(UserError, match="at least two folds"):
        build(name).choose(toy.source, replace(toy.task, folds=np.zeros_like(toy.task.folds)))


def test_progress_reaches_its_total(make_toy) -> None:
    toy = make_toy(100)
    calls: list[tuple[int, int, str]] = []
    build("cv_probe").choose(toy.source, toy.task, lambda *call: calls.append(call))
    assert [done for done, _, _ in calls] == list(range(1, 7))
    assert {total for _, total, _ in calls} == {6}
    assert calls[0][2] == "layer 2 last"


def test_fixed_takes_the_nearest_layer_and_final_wants_the_last(make_toy) -> None:
    toy = make_toy(50)
    given = toy.source, toy.task
    assert {block.layers for block in build("fixed", depth=0.7).choose(*given).blocks} == {(3,)}
    assert {block.layers for block in build("final").choose(*given).blocks} == {(4,)}
    toy.source.layer_ids = (0, 1, 2)
    with pytest.raises(UserError, match="expected layer 4"):
        build("final").choose(*given)
    with pytest.raises(UserError, match="depth"):
        build("fixed", depth=1.5)


def test_concat_stands_several_layers_side_by_side(make_toy) -> None:
    toy = make_toy()
    choice = build("concat", layers="all", count=3, poolings=["mean"]).choose(toy.source, toy.task)
    assert [block.layers for block in choice.blocks] == [(0, 2, 4)]
    assert set(choice.table["layer"]) == {4}


def test_concat_takes_the_best_dimension_of_each_pooling_and_the_better_pooling_of_each_target(
    make_toy,
) -> None:
    toy = make_toy()
    toy.task.labels[:, 1] = 1.0  # without an AUC, it has no say
    calls: list[tuple[int, int, str]] = []
    choice = build("concat", layers=[1, 3], count=None, dims=(1, 12, 4)).choose(
        toy.source, toy.task, lambda *call: calls.append(call)
    )
    auc = choice.table.pivot_table(index="target", columns=["pooling", "dim"], values="auc")
    best = [
        max(auc[[pooling]].columns, key=lambda column: auc[column].mean()) for pooling in ("last", "mean")
    ]
    assert {dim for _, dim in best} != {1}
    taken = {target: choice.blocks[index] for target, index in choice.per_target.items()}
    assert {block.layers for block in choice.blocks} == {(1, 3)}
    for target in ("target0", "target2", "target3"):
        pooling, dim = max(best, key=lambda column: auc.loc[target, column])
        assert (taken[target].pooling, taken[target].dim) == (pooling, dim)
    assert calls == [(1, 2, "layers 1+3 last"), (2, 2, "layers 1+3 mean")]
    both = np.concatenate([toy.source.read(1, "mean"), toy.source.read(3, "mean")], axis=1)
    known = [0, 2, 3]
    expected = roc_auc_scikit(both, toy.task.labels[:, known], toy.task.folds, dim=4)
    found = [auc.loc[f"target{target}", ("mean", 4)] for target in known]
    np.testing.assert_allclose(found, expected, atol=0.003)


@pytest.mark.parametrize("name", CHOOSERS)
def test_a_chooser_is_stored_as_plain_values(name: str, make_toy) -> None:
    toy, chooser = make_toy(120), build(name)
    spec, arrays = store(chooser)
    assert arrays == {}
    again = restore(json.loads(json.dumps(spec)), {}, LayerChooser)
    assert type(again) is type(chooser)
    assert store(again) == (spec, {})
    assert again.choose(toy.source, toy.task) == chooser.choose(toy.source, toy.task)


@pytest.mark.parametrize("name", CHOOSERS)
def test_scores_survive_files_to_the_bit(name: str, make_toy, tmp_path: Path) -> None:
    toy, chooser = make_toy(120), build(name, **({"layers": "all"} if name not in ("final", "fixed") else {}))
    toy.task.labels[:, 1] = 1.0
    both = [chooser.score(source, toy.task) for source in (toy.source, toy.other_encoder())]
    for number, table in enumerate([*both, ProbeTable.join(both)]):
        remembered_table(tmp_path, str(number), lambda _, table=table: table)
        again = remembered_table(tmp_path, str(number), lambda _: pytest.fail("made anew"))
        assert (again.targets, again.blocks, again.notes) == (table.targets, table.blocks, table.notes)
        assert again.depths == table.depths
        pd.testing.assert_frame_equal(again.frame, table.frame, check_exact=True)
        for column in ("auc", "fisher_j", "d_eff"):
            np.testing.assert_array_equal(again.scores(column), table.scores(column))
        assert chooser.select(again) == chooser.select(table)


@pytest.mark.parametrize("name", CHOOSERS)
def test_the_table_of_one_encoder_joins_to_itself(name: str, make_toy) -> None:
    toy, chooser = make_toy(120), build(name)
    table = chooser.score(toy.source, toy.task)
    joined = ProbeTable.join([table])
    assert (joined.blocks, joined.notes, joined.depths) == (table.blocks, table.notes, {"toy": 4})
    pd.testing.assert_frame_equal(joined.frame, table.frame, check_exact=True)
    assert chooser.select(joined) == chooser.choose(toy.source, toy.task)


@pytest.mark.parametrize("name", CHOOSERS)
def test_of_two_encoders_each_target_takes_its_best_block(name: str, make_toy) -> None:
    toy = make_toy()
    overrides = {"max_blocks": 99} if name in ("cv_probe", "ternary", "fisher") else {}
    chooser = build(name, **overrides)
    sources = toy.source, toy.other_encoder()
    tables = [chooser.score(source, toy.task) for source in sources]
    choice = chooser.select(ProbeTable.join(tables))
    assert choice.depths == {"toy": 4, "other": 2}
    assert set(choice.per_target) == set(toy.task.targets)
    blocks = [block for table in tables for block in table.blocks]
    assert [block for block in blocks if block in choice.blocks] == list(
        choice.blocks
    )  # in the table's order
    taken = {target: choice.blocks[index] for target, index in choice.per_target.items()}
    frame = pd.concat([table.frame for table in tables], ignore_index=True)
    if chooser.rated_by is None and len(frame):
        found = frame.loc[frame["d_eff"].idxmax()]
        (block,) = choice.blocks
        assert (block.encoder, max(block.layers), block.pooling) == (
            found["encoder"],
            found["layer"],
            found["pooling"],
        )
    elif chooser.rated_by is None:
        assert choice.blocks == tuple(blocks)
    else:
        if name == "concat":  # its dimension is the best on average
            mean = frame.groupby(["encoder", "pooling", "dim"])["auc"].mean()
            kept = mean.groupby(["encoder", "pooling"]).idxmax().tolist()
            frame = frame[frame.set_index(["encoder", "pooling", "dim"]).index.isin(kept)]
        for target, block in taken.items():
            own = frame[frame["target"] == target]
            found = own.loc[own[chooser.rated_by].idxmax()]
            expected = found["encoder"], found["layer"], found["pooling"], found["dim"]
            assert (block.encoder, max(block.layers), block.pooling, block.dim) == expected
        assert set(choice.blocks) == set(taken.values())


@pytest.mark.parametrize("name", CHOOSERS)
def test_a_chooser_says_by_what_it_rates_each_target(name: str, make_toy) -> None:
    toy, chooser = make_toy(), build(name)
    toy.task.labels[:, 1] = 1.0  # has neither AUC nor J
    table = chooser.score(toy.source, toy.task)
    rated = ~np.isnan(np.stack([table.auc, table.fisher])).all((0, 1))
    assert rated.tolist() == [chooser.rated_by is not None and target != 1 for target in range(4)]
    choice = chooser.select(table)
    assert chooser.serve(table, choice.blocks) == choice


@pytest.mark.parametrize("name", [name for name in CHOOSERS if name not in ("final", "fixed")])
def test_notes_of_joined_tables_name_the_encoder(name: str, make_toy) -> None:
    toy = make_toy(120)
    overrides = {"layers": [0], "count": 1} if name == "concat" else {"layers": [0, 2]}
    chooser = build(name, **overrides)
    both = ProbeTable.join([chooser.score(source, toy.task) for source in (toy.other_encoder(), toy.source)])
    assert chooser.select(both).notes == ("toy: constant, never chosen: layer 0 last",)


def test_a_table_without_a_row_for_each_block_and_target_is_refused(make_toy) -> None:
    table = build("fisher").score(make_toy(60).source, make_toy(60).task)
    with pytest.raises(ValueError, match=f"expected {4 * len(table.blocks)} rows"):
        replace(table, frame=table.frame.iloc[1:])


def test_defaults_are_those_of_conf() -> None:
    assert contradicted("layers") == {}
