"""Duplicates never meet: twins are planted everywhere, and every place where one could tell the other is looked at.

Splits, folds, validation parts, signals and heads are found by reading conf/, so a new one is looked at without
touching this file. A pair of twins gets the opposite outcomes; whatever is said of the two without having
been told must be the same to the bit.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from prefillroute.config.build import build
from prefillroute.config.compose import compose_run
from prefillroute.outcomes.folds import stratified_folds
from prefillroute.predictors.contract import Prediction
from prefillroute.signals import ego_graph, knn
from prefillroute.training.data import RunData
from prefillroute.training.groups import make_groups
from prefillroute.training.shared import Shared
from prefillroute.training.workshop import RunWorkshop
from tests.training.toy_twins import CONF, PAIR, World, options, undivided

SIGNALS = [name for name in options("signal") if name != "tokens"]
"""That one reads DeBERTa's tokenizer from the hub; `tokens_toy` is the same class."""
READ_OUTCOMES = {"knn", "ego_graph"}
"""At least these; unions of them do too."""
HEADS = [*(name for name in options("head") if name != "deberta"), "blend"]
"""`deberta` needs weights from the hub; `deberta_toy` is the same class."""
READS = {
    "category_prior": "category", "deberta_toy": "tokens_toy", "gnn": "ego_graph", "knn_score": "knn",
    "knn_vote": "knn", "xgboost": "knn", "logistic": "knn",
}  # fmt: skip
"""Signals of the heads that cannot read just any, and the neighbours' for two that fit targets one by one."""
SMALL = {
    "ego_graph": ["signal.dim=4"],
    "xgboost": ["head.num_rounds=10"],
    "cluster": ["head.num_clusters=[4]"],
    "tokens_toy": ["signal.max_length=8"],
}
LAYERS = ["layers=final", "layers.dim=4", "trainer.max_epochs=1"]


def pair_rows(data: RunData) -> np.ndarray:
    """Places of the flipped pair among the training rows."""
    places = np.flatnonzero(np.isin(data.groups.rows, [2 * PAIR, 2 * PAIR + 1]))
    assert len(places) == 2
    return places


def flipped_data(twins: World, flipped: World) -> RunData:
    """The twins' division into parts and folds, with the flipped outcomes: strata depend on outcomes."""
    return replace(twins.data, outcomes=flipped.data.outcomes, key=twins.data.key + str(flipped.folder))


def config_of(world: World, signal: str, head: str) -> Any:
    small = [text for option in (signal, head) for text in SMALL.get(option, [])]
    chosen = ["predictor=blend"] if head == "blend" else [f"head={head}"]
    return world.config(f"signal={signal}", *chosen, *LAYERS, *small)


def test_the_toy_has_one_group_per_pair(twins: World) -> None:
    np.testing.assert_array_equal(twins.data.outcomes.duplicates, np.arange(360) // 2)


@pytest.mark.parametrize("name", options("split"))
@pytest.mark.parametrize("seed", range(3))
def test_no_part_of_any_split_divides_twins(name: str, seed: int, twins: World) -> None:
    outcomes = twins.data.outcomes
    queries = outcomes.queries.drop(columns="split")  # else the data's own split wins
    outcomes = replace(outcomes, queries=queries)
    label = name.removeprefix("leave_one_").removesuffix("_out")
    given = [f"split.{label}={label[0]}1", "split.calibration_size=0.2"] if label != name else []
    split = build(compose_run([f"split={name}", *given]).split, seed=seed).split(outcomes)
    unit = np.arange(len(outcomes)) // 2
    assert undivided(split.names(len(outcomes)), unit)
    groups = make_groups(outcomes, split, num_folds=5, validation_size=0.1, seed=seed)
    mine = unit[groups.rows]
    for masks in (groups.train, groups.valid, groups.held_out):
        for mask in masks:
            assert undivided(mask, mine)
    assert undivided(groups.folds, mine)
    for fit in groups.fit:  # the folds of a layer choice inside a fold (`nested_layers`)
        rows = groups.rows[fit]
        assert undivided(stratified_folds(outcomes, rows, 5, seed), unit[rows])
    assert len(groups.calibration_folds) == len(split.calibration)
    assert undivided(groups.calibration_folds, unit[split.calibration])
    if len(split.calibration):
        assert np.ptp(np.bincount(groups.calibration_folds, minlength=5)) <= 4


@pytest.mark.parametrize("name", SIGNALS)
def test_features_of_a_row_do_not_know_what_its_twin_got(name: str, twins: World, flipped: World) -> None:
    found = []
    for world, data in ((twins, twins.data), (flipped, flipped_data(twins, flipped))):
        config = config_of(world, name, "logistic")
        found.append(RunWorkshop(config, data, Shared()).features(config.signal).train)
    pair = pair_rows(twins.data)
    np.testing.assert_array_equal(found[0][:, pair], found[1][:, pair])
    if name in READ_OUTCOMES:
        assert (found[0] != found[1]).any(), "other rows are told, or nothing is tested"


@pytest.mark.parametrize("room", [knn, ego_graph])
def test_a_twin_among_the_neighbours_is_noticed(
    room: Any, twins: World, flipped: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = room.group_neighbours
    monkeypatch.setattr(
        room, "group_neighbours", lambda *given: search(*given[:3])
    )  # leaves out the row alone
    with pytest.raises(AssertionError, match="Mismatched"):
        test_features_of_a_row_do_not_know_what_its_twin_got(room.__name__.split(".")[-1], twins, flipped)


def predicted(world: World, head: str, data: RunData) -> Prediction:
    config = config_of(world, READS.get(head, "embedding"), head)
    return build(config.predictor).train(RunWorkshop(config, data, Shared()))


@pytest.mark.parametrize("head", HEADS)
def test_held_out_twins_are_predicted_without_their_outcomes(head: str, twins: World, flipped: World) -> None:
    before = predicted(twins, head, twins.data).logits
    after = predicted(flipped, head, flipped_data(twins, flipped)).logits
    pair = pair_rows(twins.data)
    if head == "blend":  # its parts are calibrated, with slopes from all training rows
        np.testing.assert_allclose(before.out_of_fold[pair], after.out_of_fold[pair], atol=0.1)
    else:
        np.testing.assert_array_equal(before.out_of_fold[pair], after.out_of_fold[pair])
    assert (before.out_of_fold != after.out_of_fold).any(), "other rows learn from the pair"


def test_twins_through_a_query_that_is_left_out_stay_twins(twins: World) -> None:
    """Row 0 equals row 1 but for white space; row 1 and row 4 are near duplicates. Row 1 is not selected."""
    outcomes = twins.data.outcomes
    queries = outcomes.queries.copy()
    queries.loc[[1, 4], "near_dup_group"] = "linked"
    chained = replace(outcomes, queries=queries)
    chosen = chained.select(np.array([0, 3, 4, 9]))
    assert chosen.duplicates[0] == chosen.duplicates[2]
    assert len(set(chosen.duplicates)) == 3
    np.testing.assert_array_equal(chosen.select(np.array([2, 0])).duplicates, [0, 0])


def test_no_room_divides_rows_by_itself() -> None:
    """scikit-learn's splitters know nothing of duplicates; `outcomes.folds` is the one place that divides rows."""
    package = CONF.parent / "prefillroute"
    assert package.is_dir()
    users = [
        path.relative_to(package)
        for path in package.rglob("*.py")
        if "sklearn.model_selection" in path.read_text()
    ]
    assert users == []
