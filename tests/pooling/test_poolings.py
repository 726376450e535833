"""Poolings against a loop, whatever side the padding is on and whatever stands in it."""

import numpy as np
import pytest
import torch

from prefillroute.errors import UserError
from prefillroute.pooling.choice import POOLINGS, PoolingChoice
from prefillroute.pooling.last import LastPooling
from prefillroute.pooling.mean import MeanPooling


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_against_a_loop(side, dtype):
    generator = torch.Generator().manual_seed(0)
    lengths = [1, 5, 9, 3, 9]
    hidden = (torch.randn(5, 9, 7, generator=generator) * 100).to(dtype)
    mask = torch.zeros(5, 9, dtype=torch.bool)
    for row, length in enumerate(lengths):
        mask[row, slice(9 - length, 9) if side == "left" else slice(0, length)] = True
    hidden[~mask] = 1e30  # padding is anything finite
    last, mean = LastPooling()(hidden, mask), MeanPooling()(hidden, mask)
    assert last.dtype == mean.dtype == torch.float32
    for row in range(5):
        real = hidden[row][mask[row]].double().numpy()
        assert np.array_equal(last[row].numpy(), real[-1])
        np.testing.assert_allclose(mean[row].numpy(), real.mean(axis=0), rtol=1e-5, atol=1e-4)


def test_names_are_those_of_the_cache():
    assert {name: pooling().name for name, pooling in POOLINGS.items()} == {"last": "last", "mean": "mean"}


@pytest.mark.parametrize("names", [[], ["max"], ["last", "last"]])
def test_a_choice_of_what_is_not_there_is_refused(names):
    with pytest.raises(UserError, match=r"pooling\.names: expected some of last, mean, each once, found"):
        PoolingChoice(names)
