"""Objects as plain values and arrays, and back."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefillroute import spec as module
from prefillroute.calibration.contract import Calibrator
from prefillroute.calibration.platt import PlattCalibrator
from prefillroute.errors import UserError
from prefillroute.spec import Stored, restore, store


class Box(Stored):
    """Holds anything."""

    def __init__(self, content: object = None) -> None:
        self.content = content


@dataclass(frozen=True)
class Point(Stored):
    """Frozen."""

    x: int
    y: float = 0.5


@pytest.fixture(autouse=True)
def these_are_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PACKAGE", "tests.")


def round_trip(thing: Stored) -> Stored:
    spec, arrays = store(thing, "thing")
    return restore(json.loads(json.dumps(spec, allow_nan=False)), arrays, type(thing))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(PLAIN, PLAIN)
def test_plain_values_come_back_as_they_were(argument: object, fitted: object) -> None:
    box = Box(argument)
    box.found_ = fitted
    again = round_trip(box)
    assert (again.content, again.found_) == (argument, fitted)
    assert type(again.content) is type(argument)


@pytest.mark.parametrize(
    "array",
    [
        np.array([[1.5, np.nan], [np.inf, -0.0]]),
        np.arange(6, dtype=np.float32).reshape(2, 3).T,  # not contiguous
        np.array([True, False]),
        np.zeros((3, 0), dtype=np.uint8),
    ],
)
def test_arrays_keep_every_bit(array: np.ndarray) -> None:
    again = round_trip(Box({"a": (array, [array])}))
    for found in (again.content["a"][0], again.content["a"][1][0]):
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)


def test_numbers_of_numpy_keep_their_type() -> None:
    again = round_trip(Box(np.float32(0.1)))
    assert type(again.content) is np.float32
    assert again.content == np.float32(0.1)


def test_objects_inside_objects_and_frozen_ones() -> None:
    point = Point(3)
    object.__setattr__(point, "seen_", (1, 2))
    again = round_trip(Box([Box(point)]))
    inner = again.content[0].content
    assert inner == Point(3)
    assert inner.seen_ == (1, 2)


def test_only_what_a_kind_of_the_package_is_may_be_built() -> None:
    spec, arrays = store(Box(1))
    for path in (
        "os.system",
        "tests.test_spec.json",
        "tests.test_spec.PLAIN",
        "tests.nothing.Box",
        "Box",
        "",
    ):
        with pytest.raises(UserError, match=r"class: expected a Box of tests, found"):
            restore(spec | {"class": path}, arrays, Box)
    with pytest.raises(UserError, match="class: expected a Point"):
        restore(spec, arrays, Point)


def test_a_damaged_description_is_a_mistake_of_the_users() -> None:
    spec, arrays = store(Box(np.ones(2)), "box")
    for damaged in (
        {**spec, "arguments": {"other": 1}},
        {**spec, "fitted": {"content": 1}},
        {"class": spec["class"]},
    ):
        with pytest.raises(UserError, match="expected"):
            restore(damaged, arrays, Box)
    with pytest.raises(UserError, match=r"tests\.test_spec\.Box: expected what it was stored with"):
        restore(spec, {}, Box)


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, np.array(["a"]), object()])
def test_what_cannot_be_stored_is_named(value: object) -> None:
    with pytest.raises(TypeError, match=r"box\.content"):
        store(Box(value), "box")


def test_a_calibrator_is_no_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PACKAGE", "prefillroute.")
    calibrator = PlattCalibrator().fit(np.array([[-1.0], [1.0]]), np.array([[0.0], [1.0]]))
    spec, arrays = store(calibrator)
    assert isinstance(restore(spec, arrays, Calibrator), PlattCalibrator)
    with pytest.raises(UserError, match="expected a Box"):
        restore(spec, arrays, Box)
