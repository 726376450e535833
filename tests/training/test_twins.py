"""Duplicates never meet: twins are planted everywhere, and every place where one could tell the other is looked at.

Splits, folds, validation parts, signals, heads and calibrators are found by reading conf/, so a new one is looked at
without touching this file. A pair of twins gets the opposite outcomes; whatever is said of the two without having
been told must be the same to the bit.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from prefillroute.calibration.cross_fit import cross_fitted
from prefillroute.config.build import build
from prefillroute.config.compose import compose_run
from prefillroute.config.search import conf_dir
from prefillroute.outcomes.folds import cross_fitting_folds, stratified_folds
from prefillroute.predictors.contract import Logits, Prediction
from prefillroute.signals import ego_graph, knn
from prefillroute.training.confidences import calibrate
from prefillroute.training.data import RunData, load_data
from prefillroute.training.groups import make_groups
from prefillroute.training.shared import Shared
from prefillroute.training.workshop import RunWorkshop

CONF = conf_dir()
World = Any  # of conftest.py
PAIR = 25
"""Flipped; a training pair."""


def options(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


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


@pytest.fixture(scope="module")
def twins(make: Callable[..., World]) -> World:
    return make(twins=True)


@pytest.fixture(scope="module")
def flipped(make: Callable[..., World]) -> World:
    return make(twins=True, flipped=PAIR)


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


def undivided(part: np.ndarray, unit: np.ndarray) -> bool:
    """Whether every unit lies in one part."""
    return all(len(np.unique(part[unit == one])) == 1 for one in np.unique(unit))


def test_the_toy_has_one_group_per_pair(twins: World) -> None:
    np.testing.assert_array_equal(twins.data.outcomes.groups, np.arange(360) // 2)


@pytest.mark.parametrize("name", options("split"))
@pytest.mark.parametrize("seed", range(3))
def test_no_part_of_any_split_divides_twins(name: str, seed: int, twins: World) -> None:
    outcomes = twins.data.outcomes
    queries = outcomes.queries.drop(columns="split")  # else the data's own split wins
    outcomes = replace(outcomes, queries=queries)
    given = ["split.benchmark=b1", "split.calibration_size=0.2"] if name == "leave_one_benchmark_out" else []
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


@pytest.fixture(scope="module")
def calibrated(twins: World) -> RunData:
    """With a calibration part of 54 pairs."""
    config = twins.config("split=calibrated", "split.column=null", "split.calibration_size=0.3")
    return load_data(config)


def logits_of(data: RunData) -> Logits:
    """Logits that know nothing, the same for twins."""
    rng = np.random.default_rng(0)
    per_pair = rng.normal(size=(180, 3))
    return Logits(None, per_pair[data.predict_rows // 2])


@pytest.mark.parametrize("name", options("calibration"))
def test_calibrators_that_follow_rows_are_not_told_of_a_twin(name: str, calibrated: RunData) -> None:
    """Either a row's confidence does not depend on the outcomes of its pair, or the whole map has two numbers."""
    calibrator = build(compose_run([f"calibration={name}"]).calibration)
    own, _ = calibrate(calibrator, logits_of(calibrated), calibrated)
    rows = calibrated.split.calibration
    correct = calibrated.outcomes.correct.copy()
    pair = np.isin(calibrated.outcomes.groups, calibrated.outcomes.groups[rows[7]])
    correct[pair] = 1 - correct[pair]
    other = replace(calibrated, outcomes=replace(calibrated.outcomes, correct=correct))
    again, _ = calibrate(
        build(compose_run([f"calibration={name}"]).calibration), logits_of(calibrated), other
    )
    if calibrator.cross_fit:
        np.testing.assert_array_equal(own[pair[rows]], again[pair[rows]])
        assert (own != again).any()
    else:
        assert all(np.asarray(value).size <= 3 for value in calibrator.parameters().values())


@pytest.mark.parametrize("with_calibration_part", [True, False])
def test_isotonic_is_what_scikit_learn_fits_on_the_other_folds(
    with_calibration_part: bool, calibrated: RunData, twins: World
) -> None:
    data = calibrated if with_calibration_part else twins.data
    rng = np.random.default_rng(1)
    pairs = rng.normal(size=(180, 3)) + data.outcomes.correct[::2]
    logits = Logits(
        None if with_calibration_part else pairs[data.groups.rows // 2], pairs[data.predict_rows // 2]
    )
    own, test = calibrate(build(compose_run(["calibration=isotonic"]).calibration), logits, data)
    rows = data.split.calibration if with_calibration_part else data.groups.rows
    folds = data.groups.calibration_folds if with_calibration_part else data.groups.folds
    assert undivided(folds, rows // 2)
    assert len(np.unique(folds)) == 2  # `num_folds` of the toy's runs
    z, correct = pairs[rows // 2], data.outcomes.correct[rows]
    for m in range(3):
        for fold in np.unique(folds):
            held = folds == fold
            theirs = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(
                z[~held, m], correct[~held, m]
            )
            np.testing.assert_allclose(own[held, m], theirs.predict(z[held, m]), atol=1e-9)
        theirs = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(z[:, m], correct[:, m])
        np.testing.assert_allclose(test[:, m], theirs.predict(logits.predict[-len(test) :, m]), atol=1e-9)
        assert (np.abs(own[:, m] - theirs.predict(z[:, m])) > 1e-3).any(), "else nothing was tested"


@pytest.mark.parametrize(
    ("pairs", "said"),
    [(1, "is not cross-fitted"), (2, "over 2 folds instead of 5"), (3, "over 3 folds instead")],
)
def test_few_calibration_queries_are_said_in_one_line(
    pairs: int, said: str, twins: World, caplog: pytest.LogCaptureFixture
) -> None:
    data = twins.data
    outcomes = data.outcomes
    calibration = np.arange(120, 120 + 2 * pairs)
    rows = np.setdiff1d(np.arange(240), calibration)
    split = replace(data.split, train=rows, calibration=calibration, test=np.arange(240, 360))
    small = replace(
        data,
        split=split,
        groups=make_groups(outcomes, split, 5, 0.1, 0),
        predict_rows=np.r_[calibration, 240:360],
    )
    with caplog.at_level(logging.WARNING):
        own, test = calibrate(
            build(compose_run(["calibration=isotonic"]).calibration), logits_of(small), small
        )
    assert np.isfinite(own).all()
    assert np.isfinite(test).all()
    assert [record.getMessage().count("\n") for record in caplog.records] == [0]
    assert said in caplog.text
    caplog.clear()
    calibrate(build(compose_run(["calibration=platt"]).calibration), logits_of(small), small)
    assert not caplog.records  # nothing is cross-fitted, so nothing is said


@pytest.mark.parametrize("sizes", [[1], [9], [1, 9], [50, 1, 1], [3, 3, 3, 90, 1], [1] * 7])
def test_folds_for_cross_fitting_have_rows_and_whole_groups(sizes: list[int], twins: World) -> None:
    outcomes = twins.data.outcomes
    unit = np.repeat(np.arange(len(sizes)), sizes)
    queries = outcomes.queries.iloc[: len(unit)].drop(columns="near_dup_group")
    table = replace(
        outcomes.select(np.arange(len(unit))), queries=queries.assign(prompt=[f"prompt {u}" for u in unit])
    )
    for seed in range(20):
        folds = cross_fitting_folds(table, np.arange(len(unit)), 5, seed)
        assert undivided(folds, unit)
        assert set(folds) == set(range(folds.max() + 1))
        assert folds.max() + 1 >= min(2, len(sizes))
        assert folds.max() + 1 <= min(5, len(sizes))


def test_twins_through_a_query_that_is_left_out_stay_twins(twins: World) -> None:
    """Row 0 equals row 1 but for white space; row 1 and row 4 are near duplicates. Row 1 is not selected."""
    outcomes = twins.data.outcomes
    queries = outcomes.queries.copy()
    queries.loc[[1, 4], "near_dup_group"] = "linked"
    chained = replace(outcomes, queries=queries)
    chosen = chained.select(np.array([0, 3, 4, 9]))
    assert chosen.groups[0] == chosen.groups[2]
    assert len(set(chosen.groups)) == 3
    np.testing.assert_array_equal(chosen.select(np.array([2, 0])).groups, [0, 0])


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


def test_cross_fitting_needs_no_more_than_two_folds(calibrated: RunData) -> None:
    calibrator = build(compose_run(["calibration=percentile"]).calibration)
    z, correct = np.arange(8.0)[:, None], np.tile([0.0, 1.0], 4)[:, None]
    folds = np.array([3, 3, 3, 3, 0, 0, 0, 0])
    own = cross_fitted(calibrator, z, correct, folds)
    np.testing.assert_array_equal(own[:4], np.full((4, 1), 0.0))  # nearest of rows 4 to 7 is row 4, wrong
    np.testing.assert_array_equal(own[4:], np.full((4, 1), 1.0))  # nearest of rows 0 to 3 is row 3, right
