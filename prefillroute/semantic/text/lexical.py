"""Lexical diversity: how varied and how long the words of a text are."""

import math
import re
from collections import Counter

NAMES = ("type_token_ratio", "hapax_ratio", "yules_k", "log_words", "mean_word_length")

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def words(text: str) -> list[str]:
    """Return runs of letters, with inner apostrophes, in lower case.

    A script without spaces between words gives one long word per run.
    """
    return _WORD.findall(text.lower())


def lexical(text: str) -> tuple[float, ...]:
    """Compute the columns of NAMES; all are 0 for a text without words.

    Let there be V types among W words, and V(m) types that occur m times. The columns are V / W; V(1) / W; Yule's K =
    10^4 (sum_m m^2 V(m) - W) / W^2, from 0 (no word repeats) to below 10^4 (Yule 1944; a higher K means *less* diverse,
    and unlike the two ratios, K hardly depends on the length); log(1 + W); and characters per word.
    """
    found = words(text)
    total = len(found)
    if not total:
        return (0.0,) * len(NAMES)
    spectrum = Counter(Counter(found).values())
    repeats = sum(times * times * types for times, types in spectrum.items()) - total
    return (
        sum(spectrum.values()) / total,
        spectrum[1] / total,
        1e4 * repeats / total**2,
        math.log1p(total),
        sum(map(len, found)) / total,
    )
