"""Duplicates never meet in calibration: no cross-fitted row is told the outcome of its twin.

Calibrators are found by reading conf/, so a new one is looked at without touching this file.
"""

import logging
from dataclasses import replace

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from prefillroute.calibration.cross_fit import cross_fitted
from prefillroute.config.build import build
from prefillroute.config.compose import compose_run
from prefillroute.outcomes.folds import cross_fitting_folds
from prefillroute.predictors.contract import Logits
from prefillroute.training.confidences import calibrate
from prefillroute.training.data import RunData, load_data
from prefillroute.training.groups import make_groups
from tests.training.toy_twins import World, options, undivided


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
    pair = np.isin(calibrated.outcomes.duplicates, calibrated.outcomes.duplicates[rows[7]])
    correct[pair] = 1 - correct[pair]
    other = replace(calibrated, outcomes=replace(calibrated.outcomes, correct=correct))
    again, _ = calibrate(
        build(compose_run([f"calibration={name}"]).calibration), logits_of(calibrated), other
    )
    if calibrator.cross_fit:
        np.testing.assert_array_equal(own[pair[rows]], again[pair[rows]])
        assert (own != again).any()
    else:
        assert all(np.asarray(value).size <= 3 for value in calibrator.fitted().values())


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


def test_cross_fitting_needs_no_more_than_two_folds(calibrated: RunData) -> None:
    calibrator = build(compose_run(["calibration=percentile"]).calibration)
    z, correct = np.arange(8.0)[:, None], np.tile([0.0, 1.0], 4)[:, None]
    folds = np.array([3, 3, 3, 3, 0, 0, 0, 0])
    own = cross_fitted(calibrator, z, correct, folds)
    np.testing.assert_array_equal(own[:4], np.full((4, 1), 0.0))  # nearest of rows 4 to 7 is row 4, wrong
    np.testing.assert_array_equal(own[4:], np.full((4, 1), 1.0))  # nearest of rows 0 to 3 is row 3, right
