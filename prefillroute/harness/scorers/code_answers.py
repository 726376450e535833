"""Extracts the program from a response, and compares its output with the expected one."""

import json
import re
import textwrap
from decimal import Decimal, InvalidOperation

FENCE = re.compile(r"[ \t]*(?:>[ \t]?)?(?P<marks>`{3,}|~{3,})[ \t]*(?P<language>[^\s`]*)[^`]*$")
PYTHON = {"python", "python3", "py", "py3", "python2"}


def extract_program(response: str) -> str:
    """Return the program in a response; empty if there is none.

    This is the last block fenced as Python, else the last block fenced without a language, else the last fenced block,
    else (if nothing is fenced) the whole response. A block that is cut off by the end of the response counts too.
    """
    blocks = [(language, text) for language, text in _blocks(response) if text.strip()]
    for wanted in (PYTHON, {""}):
        matching = [text for language, text in blocks if language in wanted]
        if matching:
            return matching[-1]
    if blocks:
        return blocks[-1][1]
    return "" if "```" in response else response.strip()


def _blocks(response: str) -> list[tuple[str, str]]:
    """Return the fenced blocks as (language, text), in order."""
    blocks: list[tuple[str, str]] = []
    marks, language, lines = "", "", list[str]()
    for line in response.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        fence = FENCE.match(line)
        if fence and not marks:
            marks, language, lines = fence["marks"], fence["language"].lower(), []
        elif fence and fence["marks"].startswith(marks) and not fence["language"]:
            blocks.append((language, textwrap.dedent("\n".join(lines))))
            marks = ""
        elif fence and fence["marks"][0] == marks[0] and fence["language"].lower() in PYTHON:
            # The previous block was never closed; models do this when they start over.
            blocks.append((language, textwrap.dedent("\n".join(lines))))
            language, lines = fence["language"].lower(), []
        else:
            lines.append(line)
    if marks:
        blocks.append((language, textwrap.dedent("\n".join(lines))))
    return blocks


def same_output(found: str, expected: str) -> bool:
    """Whether two outputs are equal by LiveCodeBench's rule: line by line, either as stripped text or as numbers.

    Numbers are compared exactly, as decimals: 1.50 equals 1.5, but 0.3333 does not equal 0.33333.
    """
    found_lines, expected_lines = _lines(found), _lines(expected)
    return len(found_lines) == len(expected_lines) and all(map(_same_line, found_lines, expected_lines))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().split("\n")]


def _same_line(found: str, expected: str) -> bool:
    if found == expected:
        return True
    try:
        return [Decimal(word) for word in found.split()] == [Decimal(word) for word in expected.split()]
    except (InvalidOperation, ValueError):  # a word, or a signalling NaN, which cannot be compared
        return False


def same_value(found: str, expected: str) -> bool:
    """Whether two JSON texts hold equal values under Python's ``==`` (1 equals 1.0 and true), LiveCodeBench's rule."""
    wanted = json.loads(expected)
    try:
        return bool(json.loads(found) == wanted)
    except (ValueError, RecursionError):  # the program may have written anything instead of its value
        return False
