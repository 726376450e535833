"""What holds for every calibrator of conf/calibration, new ones included."""

import numpy as np
import pytest
from scipy.special import expit

from prefillroute import calibration
from prefillroute.calibration.contract import Calibrator
from prefillroute.config.build import build
from prefillroute.config.compose import compose_run
from prefillroute.errors import UserError
from prefillroute.spec import restore, store
from prefillroute.variants import classes_of
from tests.shipped import add_module, again, built, options
from tests.stated_defaults import contradicted

OPTIONS = options("calibration")


def blank(name: str) -> Calibrator:
    calibrator = built("calibration", name)
    assert isinstance(calibrator, Calibrator)
    return calibrator


def test_every_calibrator_is_an_option_of_its_modules_name() -> None:
    assert {name: type(blank(name)) for name in OPTIONS} == classes_of(calibration, Calibrator)
    assert [blank(name).name for name in OPTIONS] == OPTIONS


@pytest.mark.parametrize("name", OPTIONS)
def test_a_bundle_gives_back_every_bit(sample, name):
    z, correct = sample()
    correct[:, 1] = np.nan  # nothing is learned of this target
    calibrator = blank(name).fit(z, correct)
    read = again(calibrator, Calibrator)
    assert type(read) is type(calibrator)
    assert read.arguments() == calibrator.arguments()
    fresh = np.concatenate([z, 3 * z])
    np.testing.assert_array_equal(read.transform(fresh), calibrator.transform(fresh))
    assert store(read)[0] == store(calibrator)[0]


@pytest.mark.parametrize("name", OPTIONS)
def test_confidences_are_probabilities_even_far_out(sample, name):
    z, correct = sample()
    p = blank(name).fit(z, correct).transform(np.concatenate([z, 1e4 * z]))
    assert p.shape == (2 * len(z), z.shape[1])
    assert p.dtype == np.float64
    assert ((p >= 0) & (p <= 1)).all()


@pytest.mark.parametrize("name", OPTIONS)
def test_row_order_and_missing_rows_do_not_matter(sample, name):
    z, correct = sample()
    z = np.round(z, 1)
    order = np.random.default_rng(3).permutation(len(z))
    a = blank(name).fit(z, correct).transform(z)
    b = blank(name).fit(z[order], correct[order]).transform(z)
    np.testing.assert_allclose(a, b, atol=1e-9)
    moved = np.where(np.isnan(correct), 9.0, z)  # z of a row without an outcome is not looked at
    np.testing.assert_array_equal(blank(name).fit(moved, correct).transform(z), a)


@pytest.mark.parametrize("name", OPTIONS)
def test_target_without_outcomes_and_z_not_finite(sample, name):
    z, correct = sample()
    correct[:, 1] = np.nan
    calibrator = blank(name).fit(z, correct)
    p = calibrator.transform(z)
    assert np.isfinite(p).all()
    if calibrator.calibrated:
        np.testing.assert_allclose(p[:, 1], expit(z[:, 1]))
    z[5, 2] = np.inf
    with pytest.raises(UserError, match="row 5, target 2: expected a finite number, found inf"):
        blank(name).fit(z, correct)


def test_what_is_no_calibrator_is_not_built():
    with pytest.raises(UserError, match=r"class: expected a Calibrator of prefillroute, found '.*NoSuch'"):
        restore({"class": "prefillroute.calibration.platt.NoSuch"}, {}, Calibrator)
    spec, arrays = store(blank("platt").fit(np.array([[0.0], [1.0]]), np.array([[0.0], [1.0]])))
    del arrays["slope_"]
    with pytest.raises(UserError, match=r"platt.PlattCalibrator: expected what it was stored with"):
        restore(spec, arrays, Calibrator)


TOY = """
import numpy as np

from prefillroute.calibration.contract import Calibrator, sigmoid


class ShiftCalibrator(Calibrator):
    def __init__(self, by: float = 0.0) -> None:
        self.by = by

    def fit(self, z, correct):
        self.middle_ = z.mean(axis=0)
        return self

    def transform(self, z):
        return sigmoid(z - self.middle_ + self.by)
"""


def test_a_new_one_is_one_class_and_one_yaml(sample, tmp_path, monkeypatch):
    add_module(monkeypatch, tmp_path, calibration, "shift", TOY)
    (tmp_path / "conf" / "calibration").mkdir(parents=True)
    (tmp_path / "conf" / "calibration" / "shift.yaml").write_text(
        "_target_: prefillroute.calibration.shift.ShiftCalibrator\nby: 0.5\n"
    )
    monkeypatch.chdir(tmp_path)
    calibrator = build(compose_run(["calibration=shift"]).calibration)
    z, correct = sample()
    read = again(calibrator.fit(z, correct), Calibrator)
    assert read.name == "shift"
    np.testing.assert_array_equal(read.transform(z), calibrator.transform(z))


def test_defaults_are_those_of_conf() -> None:
    assert contradicted("calibration") == {}
