"""Batches cover every row once, keep to their budget and waste little."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefillroute.errors import UserError
from prefillroute.extraction.backends.transformers import TransformersBackend
from prefillroute.extraction.batches import padding_share, plan_batches
from prefillroute.extraction.request import ReadRequest
from prefillroute.extraction.share import WorkShare


@settings(max_examples=40, deadline=None)
@given(lengths=st.lists(st.integers(1, 300), max_size=80), budget=st.integers(1, 600), seed=st.integers(0, 3))
def test_every_row_once_within_the_budget(lengths, budget, seed):
    sizes = np.asarray(lengths, dtype=np.int64)
    batches = plan_batches(sizes, budget, seed)
    rows = np.concatenate(batches) if batches else np.zeros(0, dtype=int)
    assert sorted(rows.tolist()) == list(range(len(sizes)))
    assert all(len(b) == 1 or len(b) * sizes[b].max() <= budget for b in batches)
    assert not batches or sizes[batches[0]].max() == sizes.max()  # memory fails first or never
    again = plan_batches(sizes, budget, seed)
    assert all(np.array_equal(a, b) for a, b in zip(batches, again, strict=True))


def test_padding_is_small_for_many_rows():
    sizes = np.random.default_rng(0).gamma(2, 100, 3000).astype(int) + 30
    assert padding_share(sizes, plan_batches(sizes, 1024)) < 0.02
    in_file_order = [np.arange(i, i + 4) for i in range(0, 3000, 4)]
    assert padding_share(sizes, in_file_order) > 0.3
    assert padding_share(sizes, []) == 0


@pytest.mark.parametrize(
    ("layers", "params_b", "wanted"),
    [
        (None, 1.0, range(5)),
        (None, 1.1, range(2, 5)),
        ("all", 9, range(5)),
        ("upper", 0.1, range(2, 5)),
        ([3, 1, 3], 1, (1, 3)),
    ],
)
def test_layers(layers, params_b, wanted):
    assert ReadRequest(layers=layers).layer_ids(4, params_b) == tuple(wanted)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": "most"}, "request.layers: expected all, upper or a list of layer ids, found most"),
        ({"layers": 3}, "request.layers: expected all, upper or a list of layer ids, found 3"),
        ({"layers": [1, "x"]}, r"request.layers: expected all, upper or a list .*found \[1, 'x'\]"),
        ({"poolings": ["max"]}, r"request.poolings: expected some of \['last', 'mean'\], found \['max'\]"),
        ({"dtype": "int8"}, "request.dtype: expected auto or float32 or bfloat16, found int8"),
        ({"storage_dtype": "bfloat16"}, "request.storage_dtype: expected float32 or float16, found bfloat16"),
        ({"max_length": 0}, "request.max_length: expected 1 or more, found 0"),
    ],
)
def test_requests_out_of_range(changes, message):
    with pytest.raises(UserError, match=message):
        ReadRequest(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num": 0}, "share.num: expected 1 or more, found 0"),
        ({"num": 4, "index": 4}, "share.index: expected 0 to 3, found 4"),
        ({"index": -1}, "share.index: expected 0 to 0, found -1"),
    ],
)
def test_shares_out_of_range(changes, message):
    with pytest.raises(UserError, match=message):
        WorkShare(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"device": "tpu"}, r"extraction\.device: expected auto, cpu, .*found tpu"),
        ({"tokens_per_batch": 0}, r"extraction\.tokens_per_batch: expected 1 or more, found 0"),
    ],
)
def test_backends_that_cannot_run(toy_facts, changes, message):
    with pytest.raises(UserError, match=message):
        TransformersBackend(toy_facts("llama"), ReadRequest(), **changes)


@settings(max_examples=40, deadline=None)
@given(lengths=st.lists(st.integers(1, 3000), max_size=80), num=st.integers(1, 5))
def test_every_row_is_one_jobs(lengths, num):
    sizes = np.asarray(lengths, dtype=np.int64)
    shares = [WorkShare(num=num, index=index).rows(sizes).tolist() for index in range(num)]
    assert sorted(row for share in shares for row in share) == list(range(len(sizes)))


def test_shares_are_alike():
    sizes = np.random.default_rng(0).gamma(2, 100, 3000).astype(int) + 30
    tokens = [sizes[WorkShare(num=4, index=index).rows(sizes)].sum() for index in range(4)]
    assert max(tokens) < 1.02 * min(tokens)


@pytest.mark.parametrize("layers", [[], [5], [-1, 2]])
def test_layer_ids_out_of_range(layers):
    with pytest.raises(UserError, match="expected layer ids from 0 to 4"):
        ReadRequest(layers=layers).layer_ids(4, 1)
