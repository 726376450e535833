"""Finds a short text or a number in a response, and compares it with the reference."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from prefillroute.harness.scorers.contract import Scorer, Verdict

if TYPE_CHECKING:
    from prefillroute.harness.questions import Question

NUMBER_WORDS = {
    word: str(number)
    for number, word in enumerate(
        (
            *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
            *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
            *("nineteen", "twenty"),
        )
    )
}
WRAPPING = " \t\"'`*_“”‘’«»()[]{}"
MARKER = re.compile(r"\banswer\b[\s*_\"']*(?:is\b\s*:?|:)", re.IGNORECASE)
YES_NO = re.compile(r"(yes|no)\s*[,.;:!—–-](.*)", re.DOTALL)
ARTICLE = re.compile(r"(?:the|an|a)\s+(?=\S)")
NUMBER = re.compile(r"([+-]?)([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]+))?")
EQUATION = re.compile(r"[0-9][0-9\s.,+*/×÷x()-]*=\s*([+-]?[0-9][0-9.,]*)")


class ShortAnswer(Scorer):
    """Scores 1 if the text after the last "Answer:", else the first line, equals the reference up to its form.

    Form means case, surrounding punctuation, quotes and bold type, a leading article, accents, thousands separators,
    and numbers up to twenty written as words. Nothing else is forgiven: "7 or 8" is not 7.
    """

    async def score(self, question: Question, response: str) -> Verdict:
        """Compare answers; a response without a readable answer is wrong, and so is one that gives two."""
        answer = read_short_answer(response)
        return Verdict(correct=float(answer != "" and answer == normalised(question.answer)), answer=answer)


def read_short_answer(response: str) -> str:
    """Return the answer that a response gives, normalised; empty if it gives none.

    Example:
        >>> read_short_answer("2 + 5 = 7, so there are seven.\\nAnswer: **Seven.**")
        '7'
        >>> read_short_answer("Yes, because 8 is even.")
        'yes'
    """
    markers = list(MARKER.finditer(response))
    text = response[markers[-1].end() :] if markers else response
    lines = [line for line in text.splitlines() if normalised(line)]
    return normalised(lines[0]) if lines else ""


def normalised(text: str) -> str:
    """Bring a short answer into the form in which answers are compared: 'The  Cat.' becomes 'cat', '1,200.0' '1200'."""
    folded = unicodedata.normalize("NFKD", text).replace("−", "-").casefold()
    folded = "".join(char for char in folded if not unicodedata.combining(char))
    folded = _unwrapped(" ".join(folded.split()))
    folded = _unwrapped(ARTICLE.sub("", folded, count=1) if ARTICLE.match(folded) else folded)
    if decided := YES_NO.fullmatch(folded):
        word, reason = decided.groups()
        return folded if re.search(r"\b(?:yes|no)\b", reason) else word
    if sum_ := EQUATION.fullmatch(folded):
        folded = sum_.group(1)
    return _number(folded)


def _unwrapped(text: str) -> str:
    previous = None
    while previous != text:
        previous, text = text, text.strip(WRAPPING).rstrip(".,;:!?").lstrip(",;:!?")
    return text


def _number(text: str) -> str:
    if text in NUMBER_WORDS:
        return NUMBER_WORDS[text]
    if not (match := NUMBER.fullmatch(text)):
        return text
    sign, whole, decimals = match.groups()
    whole = whole.replace(",", "").lstrip("0") or "0"
    decimals = (decimals or "").rstrip("0")
    digits = f"{whole}.{decimals}" if decimals else whole
    return f"-{digits}" if sign == "-" and digits != "0" else digits
