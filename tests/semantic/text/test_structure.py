import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefillroute.semantic.text.structure import NAMES, bracket_depth, sentence_lengths, structure


def column(name: str, text: str) -> float:
    return structure(text)[NAMES.index(name)]


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("negation_count", "It is NOT so, and nobody can't or doesn’t; notable knots, no.", 5),
        ("latex_count", r"$$\frac{1}{2} x^{2} + y_{i}$$ and $5", 5),
        ("operator_density", "a+b=c × d∈S", 4 / 11),
        ("operator_density", "well-known and/or", 0),
        ("equation_count", "= x = 3, y=z<7; w =", 3),
        ("code_count", "def f(x):\n    return x == 1\n", 3),
        ("code_count", "for (int i = 0; i < n; i++) {\n}", 3),
        ("code_count", "The class of functions is public; import duties apply: string theory.", 0),
        ("number_density", "He paid $3,462.20 in 35 months", 2 / 6),
        ("option_count", "Which?\n\nA. $1\n(b) two\nC) x\nD: y\nE.\nThis. Is\nU.S. law", 5),
        ("question_count", "Why? 为什么？ Oh.", 2),
        ("line_count", "one\n\n  \r\ntwo\n", 2),
        ("sentence_count", "Is 3.14 pi? Yes.\nA. No\nB. Maybe not.", 4),
        ("mean_sentence_length", "One two three. Four!", 2),
        ("max_sentence_length", "One two three. Four!", 3),
    ],
)
def test_columns_by_hand(name: str, text: str, wanted: float) -> None:
    assert column(name, text) == pytest.approx(wanted)


def test_sentences_by_hand() -> None:
    text = 'He said "go." Then (in 1.5 h) left...\n\nA. It is so.\n(B) 不是。 好！\n---\n'
    assert sentence_lengths(text) == [3, 5, 3, 1, 1]


@pytest.mark.parametrize(
    ("text", "depth"),
    [("", 0), ("f(x)", 1), ("[(a){b(c)}]", 3), (")))(", 1), ("A) x (y) B) (z)", 1), ("(" * 100_000, 100_000)],
)
def test_bracket_depth_by_hand(text: str, depth: int) -> None:
    assert bracket_depth(text) == depth


BALANCED = st.recursive(
    st.just(""),
    lambda inner: st.one_of(
        inner.map("({})".format), inner.map("[{}]".format), st.tuples(inner, inner).map("".join)
    ),
)


@given(BALANCED)
def test_depth_is_how_often_the_innermost_layer_comes_off(text: str) -> None:
    rounds, rest = 0, text.replace("[", "(").replace("]", ")")
    while rest:
        rounds, rest = rounds + 1, rest.replace("()", "")
    assert bracket_depth(text) == rounds
