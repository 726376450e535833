"""White space that a person would not notice."""

import re

_BLANK = re.compile(r"(?<=\S) (?=\S)")
_LINE_END = re.compile(r"\r?\n")


def newline_after(text: str) -> str:
    """A line end after the text."""
    return f"{text}\n"


def blank_before(text: str) -> str:
    """A blank before the text."""
    return f" {text}"


def doubled_blanks(text: str) -> str:
    """Two blanks between words instead of one; indentation stays.

    Example:
        >>> doubled_blanks("if x:\\n    return a b")
        'if  x:\\n    return  a  b'
    """
    return _BLANK.sub("  ", text)


def windows_lines(text: str) -> str:
    """Lines end as on Windows; unchanged where there is one line.

    Example:
        >>> windows_lines("a\\nb")
        'a\\r\\nb'
    """
    return _LINE_END.sub("\r\n", text)
