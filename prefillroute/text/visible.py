"""What a terminal, a page or a figure may be given of a text that somebody else wrote."""

import unicodedata

_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories that are no signs: control and format characters, surrogates, line and paragraph ends."""
_JOINERS = {"\u200c", "\u200d"}
"""Format characters that belong to a written word or an emoji."""
_PLAIN = str.maketrans({"–": "-", "−": "-", "\u00a0": " ", "…": "...", "∞": "inf", "λ": "lambda", "×": "x"})
"""Our own signs where a stream has ASCII only."""


def hidden(character: str) -> bool:
    """Whether a character shows nothing of itself, may instead move the cursor or turn the line round, or is none."""
    code = ord(character)
    if (
        code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    ):  # noncharacters: neither HTML nor XML may hold them
        return True
    return unicodedata.category(character) in _HIDDEN and character not in _JOINERS


def visible(text: str) -> str:
    r"""The text in one line with control characters, surrogates and marks of direction as escapes.

    >>> print(visible("o3[high] \x1b[31m\n"), visible("cut \ud83d"), visible("文 שלום"))
    o3[high] \x1b[31m\n cut \ud83d 文 שלום
    """
    if text.isprintable():
        return text
    return "".join(escaped(character) if hidden(character) else character for character in text)


def escaped(text: str) -> str:
    r"""Every character of a text as a Python escape that is ASCII; printable ASCII stays.

    >>> print(escaped("é\t中"))
    \xe9\t\u4e2d
    """
    return text.encode("unicode_escape").decode("ascii")


def encodable(text: str, encoding: str | None) -> str:
    r"""The text with escapes for what an encoding lacks, and with the usual stand-ins for our own signs.

    >>> print(encodable("λ – 中", "ascii"))
    lambda - \u4e2d
    """
    encoding = encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    return text
