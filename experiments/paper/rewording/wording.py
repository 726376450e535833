"""Words and forms that leave the question as it is; numbers are never touched."""

import re

INSTRUCTION = "Please answer the following question:"
INSTRUCTION_AFTER = "Please answer the question above."
_OPTION = re.compile(r"^([A-Z])\. (?=\S)", re.MULTILINE)


def instruction_before(text: str) -> str:
    """An instruction on a line before the question."""
    return f"{INSTRUCTION}\n{text}"


def instruction_after(text: str) -> str:
    """An instruction on a line after the question."""
    return f"{text.rstrip()}\n{INSTRUCTION_AFTER}"


def first_letter(text: str) -> str:
    """The first letter small where it was a capital, and the other way round.

    Example:
        >>> first_letter("What is 2 + 3?"), first_letter("2 + 3")
        ('what is 2 + 3?', '2 + 3')
    """
    return text[:1].swapcase() + text[1:]


def option_letters(text: str) -> str:
    """`A)` instead of `A.`; unchanged where the text has no list of options.

    Example:
        >>> option_letters("Which?\\nA. one\\nB. two")
        'Which?\\nA) one\\nB) two'
    """
    return text if _options(text) is None else _OPTION.sub(r"\1) ", text)


def option_order(text: str) -> str:
    """The options in the reverse order under the same letters; unchanged where the text has no list of options.

    Example:
        >>> option_order("Which?\\nA. one\\nB. two\\nC. three")
        'Which?\\nA. three\\nB. two\\nC. one'
    """
    found = _options(text)
    if found is None:
        return text
    start, options = found
    lines = [f"{chr(ord('A') + place)}. {option}" for place, option in enumerate(reversed(options))]
    return text[:start] + "\n".join(lines)


def _options(text: str) -> tuple[int, list[str]] | None:
    """Where the list of options begins, and the options; None unless the text ends in lines A., B., ... in order."""
    marks = list(_OPTION.finditer(text))
    letters = [mark[1] for mark in marks]
    if len(marks) < 2 or letters != [chr(ord("A") + place) for place in range(len(marks))]:
        return None
    ends = [mark.start() - 1 for mark in marks[1:]] + [len(text)]
    options = [text[mark.end() : end] for mark, end in zip(marks, ends, strict=True)]
    # A line that is no option might be the question itself, or an option that goes on: leave both alone.
    return None if any("\n" in option for option in options) else (marks[0].start(), options)
