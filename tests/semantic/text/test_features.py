"""Promises for any string at all."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefillroute.semantic.text.features import NAMES, text_features

MILLION = 1_000_000
HOSTILE = {
    "one character": "a",
    "white space": " \t\n\r\u2003" * 100,
    "no letters": "... !!! ((( ===",
    "digits": "1234567890" * 10,
    "Chinese": "下列哪一项不是质数？" * 50,
    "Arabic": "ما هي عاصمة فرنسا؟ لا أعرف. " * 50,
    "emoji": "👩‍👩‍👧‍👦🎉" * 100,
    "lone surrogates": "\ud800 \udfff\udc00",
    "NUL": "\0" * 1000 + "a\0b",
    "a million characters of prose": "The quick (brown) fox didn't jump: x = 3.14! " * (MILLION // 45),
    "a word of a million letters": "antidisestablish" * (MILLION // 16),
    "a million different words": " ".join(map(str, range(MILLION // 6))),
    "open brackets": "(" * 100_000,
    "a million spaces": "A." + " " * MILLION + ".",
    "backticks": "`a\n" * 100_000,
    "semicolons and dots": "; " * 100_000 + "." * 100_000,
}


def test_thirty_names() -> None:
    assert len(NAMES) == len(set(NAMES)) == 30


def test_no_prompts_and_an_empty_one() -> None:
    assert text_features([]).shape == (0, 30)
    assert (text_features([""]) == 0).all()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_strings(text: str) -> None:
    start = time.process_time()
    row = text_features([text])
    assert time.process_time() - start < 8  # about one second each on a quiet machine
    assert row.shape == (1, 30)
    assert row.dtype == np.float32
    assert np.isfinite(row).all()


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=200))
def test_any_string(text: str) -> None:
    assert np.isfinite(text_features([text])).all()


def test_a_row_depends_on_its_own_prompt(passages: list[str]) -> None:
    together = text_features(np.array(passages, dtype=object))
    alone = np.concatenate([text_features([prompt]) for prompt in reversed(passages)])[::-1]
    np.testing.assert_array_equal(together, alone)


def test_every_column_tells_passages_apart(passages: list[str]) -> None:
    features = text_features(passages)
    constant = np.array(NAMES)[features.max(0) == features.min(0)]
    assert constant.tolist() == []
