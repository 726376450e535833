import zlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from prefillroute.semantic.text.information import information


@given(st.text(min_size=1))
def test_against_scipy_and_zlib(text: str) -> None:
    bits, ratio, non_ascii = information(text)
    assert bits == pytest.approx(entropy(list(Counter(text).values()), base=2), abs=1e-9)
    assert non_ascii == pytest.approx(sum(not character.isascii() for character in text) / len(text))
    raw = text.encode()
    assert ratio == len(zlib.compress(raw)) / len(raw)


def test_by_hand() -> None:
    assert information("abcd")[0] == 2.0
    assert str(information("aaaa")[0]) == "0.0"
    assert information("é" * 1000)[1] < 0.05 < 1 < information("é")[1]
    assert information("") == (0.0, 0.0, 0.0)
    assert information("\ud800a")[2] == 0.5
