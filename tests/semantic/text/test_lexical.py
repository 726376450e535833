import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefillroute.semantic.text.lexical import NAMES, lexical, words


def test_words_by_hand() -> None:
    assert words("Don’t STOP—it's 3 o'clock, x2'y_z.") == ["don’t", "stop", "it's", "o'clock", "x", "y", "z"]


def test_values_by_hand() -> None:
    row = dict(zip(NAMES, lexical("the cat and the dog and the bird"), strict=True))
    assert row == pytest.approx(
        {
            "type_token_ratio": 5 / 8,
            "hapax_ratio": 3 / 8,  # cat, dog, bird
            "yules_k": 1e4 * (3 * 1 + 4 * 1 + 9 * 1 - 8) / 64,  # three once, one twice, one three times
            "log_words": math.log(9),
            "mean_word_length": 25 / 8,
        }
    )


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=40))
def test_brute_force(tokens: list[str]) -> None:
    total = len(tokens)
    times = [tokens.count(word) for word in set(tokens)]
    # Yule's K is the chance that two different draws agree, times 10^4, up to (W - 1) / W.
    agreeing = sum(tokens[i] == tokens[j] for i in range(total) for j in range(total) if i != j)
    ratio, hapax, yule, *_ = lexical(" ".join(tokens))
    assert ratio == len(times) / total
    assert hapax == times.count(1) / total
    assert yule == pytest.approx(1e4 * agreeing / total**2)


@pytest.mark.parametrize("text", ["", " \n", "12 + 3 = ?"])
def test_no_words(text: str) -> None:
    assert lexical(text) == (0.0,) * len(NAMES)
