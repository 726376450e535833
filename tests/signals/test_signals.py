"""Prefill and category: what is special to each; what all signals promise is in test_every_signal."""

import numpy as np
import pytest

from prefillroute.errors import UserError
from prefillroute.layers.choice import Block, LayerChoice
from prefillroute.layers.final import FinalLayer
from prefillroute.modes.contract import Mode
from prefillroute.modes.single import Single
from prefillroute.signals.category import CategorySignal
from prefillroute.signals.prefill import PrefillSignal
from tests.signals.toy import MODEL, Queries, fit
from tests.stated_defaults import contradicted

CHOICE = LayerChoice((Block(MODEL, (1,), "mean", 4), Block(MODEL, (2,), "last", 3)), {"a": 0})
NARROW = LayerChoice((Block(MODEL, (2,), "mean", 2),), {"a": 0})
MASKS = np.stack([np.arange(30) < 29, np.arange(30) < 20, (np.arange(30) < 29) & (np.arange(30) % 3 != 1)])


class Given(Mode):
    """Gives the choices one after another, whatever the scores."""

    def __init__(self, *choices: LayerChoice) -> None:
        self.encoders, self.choices = (MODEL,), list(choices)

    def choose(self, *_: object) -> LayerChoice:
        return self.choices.pop(0)


@pytest.fixture
def queries() -> Queries:
    rng = np.random.default_rng(0)
    return Queries(
        categories=np.array(["law", "math", "art"] * 9 + ["law", "law", "new"]),
        activations={pooling: rng.normal(size=(30, 3, 8)).astype(np.float32) for pooling in ("last", "mean")},
    )


def test_category_is_one_hot_and_unknown_is_zero(queries: Queries) -> None:
    signal = CategorySignal()
    features = fit(signal, queries, MASKS)
    assert signal.categories_ == ("art", "law", "math")
    assert features[0, :3].tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert (features[:, 29] == 0).all()  # `new` is in no group's training rows
    assert (features[2, :, 2] == 0).all()  # group 2 never saw `math`


def test_one_choice_for_all_groups(queries: Queries) -> None:
    signal = PrefillSignal(Given(CHOICE), FinalLayer())
    features = fit(signal, queries, MASKS)
    assert features.shape == (3, 30, 7)
    assert signal.layer_choice == CHOICE
    np.testing.assert_allclose(signal.transform(queries.readings), features[0], atol=1e-5)


def test_one_choice_per_group_pads_the_narrow_ones(queries: Queries) -> None:
    signal = PrefillSignal(Given(NARROW, CHOICE, NARROW), FinalLayer())
    features = fit(signal, queries, MASKS, nested=True)
    assert features.shape == (3, 30, 7)
    assert (features[0, :, 2:] == 0).all()
    assert (features[1] != 0).any(0).all()
    np.testing.assert_allclose(signal.transform(queries.readings), features[0], atol=1e-5)


def test_the_mode_and_the_layers_choose(queries: Queries) -> None:
    signal = PrefillSignal(Single(MODEL), FinalLayer(["mean"], dim=3))
    fit(signal, queries, MASKS)
    assert [block.name for block in signal.layer_choice.blocks] == ["toy/mean/2/pca3"]


def test_unknown_scale_is_refused() -> None:
    with pytest.raises(
        UserError, match=r"signal\.scale: expected one of block, leading, component, none, found 'unit'"
    ):
        PrefillSignal(Single(MODEL), FinalLayer(), scale="unit")


def test_defaults_are_those_of_conf() -> None:
    assert contradicted("signal") == {}
