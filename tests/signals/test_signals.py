import json

import numpy as np
import pytest
from safetensors.torch import load, save

from prefillroute.errors import UserError
from prefillroute.layers.choice import Block, LayerChoice
from prefillroute.layers.source import ArraySource, RowSubset
from prefillroute.signals.category import CategorySignal
from prefillroute.signals.inputs import SignalInputs
from prefillroute.signals.prefill import PrefillSignal
from tests.stated_defaults import contradicted

CHOICE = LayerChoice((Block("toy", (1,), "mean", 4), Block("toy", (2,), "last", 3)), {"a": 0})
NARROW = LayerChoice((Block("toy", (2,), "mean", 2),), {"a": 0})


@pytest.fixture
def inputs() -> SignalInputs:
    rng = np.random.default_rng(0)
    stack = {pooling: rng.normal(size=(30, 3, 8)).astype(np.float32) for pooling in ("last", "mean")}
    return SignalInputs(
        categories=np.array(["law", "math", "art"] * 9 + ["law", "law", "new"]),
        activations={"toy": ArraySource.from_stack("toy", stack)},
        choices=(CHOICE,),
    )


MASKS = np.stack([np.arange(30) < 29, np.arange(30) < 20, (np.arange(30) < 29) & (np.arange(30) % 3 != 1)])


@pytest.mark.parametrize("signal", [PrefillSignal(), CategorySignal()], ids=["prefill", "category"])
def test_group_zero_serves_new_queries_and_survives_files(signal, inputs: SignalInputs) -> None:
    features = signal.fit_transform(inputs, MASKS)
    assert features.shape[:2] == MASKS.shape
    assert features.dtype == np.float32
    restored = type(signal).from_state(json.loads(json.dumps(signal.describe())), load(save(signal.state())))
    one = SignalInputs(
        categories=inputs.categories[[4]],
        activations={"toy": RowSubset(inputs.activations["toy"], np.array([4]))},
    )
    np.testing.assert_allclose(restored.transform(one)[0], features[0, 4], atol=1e-5)


def test_category_is_one_hot_and_unknown_is_zero(inputs: SignalInputs) -> None:
    signal = CategorySignal()
    features = signal.fit_transform(inputs, MASKS)
    assert signal.categories_ == ("art", "law", "math")
    assert features[0, :3].tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert (features[:, 29] == 0).all()  # `new` is in no group's training rows
    assert (features[2, :, 2] == 0).all()  # group 2 never saw `math`


def test_one_choice_per_group_pads_the_narrow_ones(inputs: SignalInputs) -> None:
    nested = SignalInputs(inputs.categories, inputs.activations, (NARROW, CHOICE, NARROW))
    signal = PrefillSignal()
    features = signal.fit_transform(nested, MASKS)
    assert features.shape == (3, 30, 7)
    assert (features[0, :, 2:] == 0).all()
    assert (features[1] != 0).any(0).all()
    np.testing.assert_allclose(signal.transform(nested), features[0], atol=1e-5)


def test_unknown_scale_is_refused() -> None:
    with pytest.raises(
        UserError, match=r"signal\.scale: expected one of block, leading, component, none, found 'unit'"
    ):
        PrefillSignal(scale="unit")


def test_defaults_are_those_of_conf() -> None:
    assert contradicted("signal") == {}
