"""Every pooling of the package against a loop over rows, whatever side the padding is on and whatever stands in it."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from prefillroute import pooling
from prefillroute.config.build import build
from prefillroute.config.compose import compose_run
from prefillroute.errors import UserError
from prefillroute.extraction.request import ReadRequest
from prefillroute.pooling.choice import known_poolings, pooling_names
from tests.shipped import add_module, built, options

BY_HAND: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "last": lambda tokens: tokens[-1],
    "mean": lambda tokens: tokens.mean(axis=0),
}
"""What each makes of the real tokens (T, H) of one row."""


@pytest.mark.parametrize("name", known_poolings())
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_padding_has_no_say(name, side, dtype):
    generator = torch.Generator().manual_seed(0)
    lengths = [1, 5, 9, 3, 9]
    hidden = (torch.randn(5, 9, 7, generator=generator) * 100).to(dtype)
    mask = torch.zeros(5, 9, dtype=torch.bool)
    for row, length in enumerate(lengths):
        mask[row, slice(9 - length, 9) if side == "left" else slice(0, length)] = True
    hidden[~mask] = 1e30  # padding is anything finite
    pool = known_poolings()[name]()
    pooled = pool(hidden, mask)
    assert pooled.dtype == torch.float32
    assert pooled.shape == (5, 7)
    for row, length in enumerate(lengths):
        real = hidden[row][mask[row]]
        alone = pool(real[None], torch.ones(1, length, dtype=torch.bool))[0]
        np.testing.assert_allclose(pooled[row].numpy(), alone.numpy(), rtol=1e-5, atol=1e-4)
        if name in BY_HAND:
            expected = BY_HAND[name](real.double().numpy())
            np.testing.assert_allclose(pooled[row].numpy(), expected, rtol=1e-5, atol=1e-4)


def test_last_is_the_bits_of_the_last_token():
    hidden = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(1)).to(torch.bfloat16)
    mask = torch.tensor([[True, True, False], [False, True, True]])
    expected = torch.stack([hidden[0, 1], hidden[1, 2]]).float()
    assert torch.equal(known_poolings()["last"]()(hidden, mask), expected)


@pytest.mark.parametrize("option", options("pooling"))
def test_every_option_names_poolings_that_are_there(option):
    names = built("pooling", option)
    assert set(names) <= set(known_poolings())
    assert "_".join(names) == option


def test_every_pooling_has_an_option_of_its_own():
    assert set(known_poolings()) <= set(options("pooling"))


@pytest.mark.parametrize("names", [[], ["max"], ["last", "last"]])
def test_a_choice_of_what_is_not_there_is_refused(names):
    with pytest.raises(UserError, match=r"pooling\.names: expected some of .*, each once, found"):
        pooling_names(names)


@pytest.mark.parametrize("layers", options("layers"))
def test_layer_choices_read_the_group(layers):
    """What `pooling=` says reaches every chooser, checked; a chooser's own argument wins over it."""
    given = {
        ("pooling=last",): ("last",),
        ("pooling=mean",): ("mean",),
        ("pooling=last_mean",): ("last", "mean"),
        ("pooling.names=[mean]",): ("mean",),
        ("pooling=last", "layers.poolings=[mean]"): ("mean",),
    }
    for overrides, expected in given.items():
        config = compose_run([f"layers={layers}", *overrides])
        assert build(config.layers).poolings == expected
    with pytest.raises(UserError, match=r"pooling\.names: expected some of .*, found \['max'\]"):
        build(compose_run([f"layers={layers}", "pooling.names=[max]"]).layers)


TOY = """
from prefillroute.pooling.contract import Pooling


class FirstPooling(Pooling):
    def __call__(self, hidden, mask):
        return hidden[range(len(hidden)), mask.int().argmax(dim=1)].float()
"""


def test_a_new_one_is_one_class_and_one_yaml(tmp_path, monkeypatch):
    add_module(monkeypatch, tmp_path, pooling, "first", TOY)
    (tmp_path / "conf" / "pooling").mkdir(parents=True)
    (tmp_path / "conf" / "pooling" / "first.yaml").write_text(
        "_target_: prefillroute.pooling.choice.pooling_names\nnames: [first]\n"
    )
    monkeypatch.chdir(tmp_path)
    known_poolings.cache_clear()
    try:
        assert build(compose_run(["pooling=first"]).layers).poolings == ("first",)
        assert ReadRequest(poolings=["first"]).poolings == ["first"]
        hidden, mask = torch.tensor([[[9.0], [1.0], [2.0]]]), torch.tensor([[False, True, True]])
        assert known_poolings()["first"]()(hidden, mask).tolist() == [[1.0]]
    finally:
        known_poolings.cache_clear()
