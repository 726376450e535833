"""What holds for every calibrator, new ones included."""

import inspect
import json

import numpy as np
import pytest
from scipy.special import expit

from prefillroute.calibration.contract import NAMES, Calibrator, load_calibrator
from prefillroute.errors import UserError
from tests.stated_defaults import contradicted


def blank(name: str) -> Calibrator:
    module = __import__(f"prefillroute.calibration.{name}", fromlist=["_"])
    (kind,) = (
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Calibrator) and value.__dict__.get("name") == name
    )
    return kind()


@pytest.mark.parametrize("name", NAMES)
def test_state_survives_json(sample, name):
    z, correct = sample()
    calibrator = blank(name).fit(z, correct)
    state = json.loads(json.dumps(calibrator.state()))
    again = load_calibrator(state)
    assert type(again) is type(calibrator)
    np.testing.assert_array_equal(again.transform(z), calibrator.transform(z))


@pytest.mark.parametrize("name", NAMES)
def test_confidences_are_probabilities_even_far_out(sample, name):
    z, correct = sample()
    p = blank(name).fit(z, correct).transform(np.concatenate([z, 1e4 * z]))
    assert p.dtype == np.float64
    assert ((p >= 0) & (p <= 1)).all()


@pytest.mark.parametrize("name", NAMES)
def test_row_order_does_not_matter(sample, name):
    z, correct = sample()
    z = np.round(z, 1)
    order = np.random.default_rng(3).permutation(len(z))
    a = blank(name).fit(z, correct).transform(z)
    b = blank(name).fit(z[order], correct[order]).transform(z)
    np.testing.assert_allclose(a, b, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_target_without_outcomes_and_z_not_finite(sample, name):
    z, correct = sample()
    correct[:, 1] = np.nan
    p = blank(name).fit(z, correct).transform(z)
    assert np.isfinite(p).all()
    if name != "zscore":
        np.testing.assert_allclose(p[:, 1], expit(z[:, 1]))
    z[5, 2] = np.inf
    with pytest.raises(UserError, match="row 5, target 2: expected a finite number, found inf"):
        blank(name).fit(z, correct)


def test_unknown_or_damaged_state_is_one_line():
    with pytest.raises(UserError, match=r"expected one of platt.*, found 'magic'"):
        load_calibrator({"name": "magic"})
    with pytest.raises(UserError, match="the state of 'platt' is damaged"):
        load_calibrator({"name": "platt", "hyper": {}, "parameters": {"slope": [1.0]}})


def test_defaults_are_those_of_conf() -> None:
    assert contradicted("calibration") == {}
