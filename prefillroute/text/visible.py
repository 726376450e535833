"""Makes text that somebody else wrote safe to show on a terminal, a page or a figure."""

import unicodedata

_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories of invisible characters: control and format characters, surrogates, line and paragraph ends."""
_JOINERS = {"\u200c", "\u200d"}
"""Format characters that are part of a word or an emoji."""
_PLAIN = str.maketrans({"–": "-", "−": "-", "\u00a0": " ", "…": "...", "∞": "inf", "λ": "lambda", "×": "x"})
"""Replacements for our own characters on a stream that is limited to ASCII."""


def hidden(character: str) -> bool:
    """Whether a character is invisible (it may move the cursor or reverse the line), or is not a character at all."""
    code = ord(character)
    if code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF:  # noncharacters, which HTML and XML forbid
        return True
    return unicodedata.category(character) in _HIDDEN and character not in _JOINERS


def visible(text: str) -> str:
    r"""The text as one line, with control characters, surrogates and direction marks as escapes.

    >>> print(visible("o3[high] \x1b[31m\n"), visible("cut \ud83d"), visible("文 שלום"))
    o3[high] \x1b[31m\n cut \ud83d 文 שלום
    """
    if text.isprintable():
        return text
    return "".join(escaped(character) if hidden(character) else character for character in text)


def escaped(text: str) -> str:
    r"""The text in ASCII, with every other character as a Python escape.

    >>> print(escaped("é\t中"))
    \xe9\t\u4e2d
    """
    return text.encode("unicode_escape").decode("ascii")


def encodable(text: str, encoding: str | None) -> str:
    r"""The text with escapes for what an encoding lacks, and ASCII replacements for our own characters.

    >>> print(encodable("λ – 中", "ascii"))
    lambda - \u4e2d
    """
    encoding = encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    return text
