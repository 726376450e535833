"""Structural features: negation, mathematics, code, brackets, numbers, sentences, options, lines.

They use patterns rather than parsers, to be cheap and to run in linear time on any input; no pattern has a repetition
that can start inside its own match.
"""

import re

NAMES = (
    "negation_count",
    "latex_count",
    "operator_density",
    "equation_count",
    "code_count",
    "bracket_depth",
    "number_density",
    "sentence_count",
    "mean_sentence_length",
    "max_sentence_length",
    "option_count",
    "question_count",
    "line_count",
)

_NEGATION = re.compile(
    r"\b(?:not|no|never|none|nor|neither|nobody|nothing|nowhere|cannot|without|except)\b|n['’]t\b",
    re.IGNORECASE,
)
# Commands such as \frac, braced sub- and superscripts, display mathematics.
_LATEX = re.compile(r"\\[A-Za-z]+|[_^]\{|\$\$")
# ASCII and Latin-1 operators, then the Unicode blocks of arrows and of mathematical operators. Hyphen and slash are
# left out because prose uses them.
_OPERATOR = re.compile(r"[=+*^<>|~±×÷·√°\u2190-\u21ff\u2200-\u22ff\u27c0-\u27ff\u2900-\u2aff]")
# A relation with something on both sides.
_EQUATION = re.compile(r"[\w)\]}][ \t]*[=<>≈≠≡≤≥](?=[ \t]*[\w(\[{\\$+.-])")
_CODE = re.compile(
    r"```|`[^`\n]+`"  # fences and inline code
    r"|[=!]=|&&|\|\||\+\+|->|=>|::|\w\(\)"  # operators and empty calls
    r"|;[ \t]*$|^[ \t]*[{}][ \t]*$|^(?:\t| {4})[ \t]*\S"  # line ends, lone braces, indentation
    r"|#include\b|\bSELECT\b|\belif\b|\b(?:printf|println|print|len|range|sizeof)[ \t]*\("
    r"|\b(?:def|function|class|public|private|static|int|void|float|double|char|boolean|String)[ \t]+\w+[ \t]*[=;:({]",
    re.MULTILINE,
)
_BRACKET = re.compile(r"[()\[\]{}]")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_OPTION = re.compile(r"^[ \t]*(?:\([A-Za-z]\)|[A-Z][.):])(?=\s|\Z)", re.MULTILINE)
_SENTENCE_END = re.compile(r"[.!?][\"'”’)\]]?(?=\s)|[。！？؟]|\n")
_WORD_CHARACTER = re.compile(r"\w")


def bracket_depth(text: str) -> int:
    """Greatest nesting depth of ( [ {, whichever bracket closes them; a bracket that closes nothing is ignored."""
    depth = greatest = 0
    for mark in _BRACKET.findall(text):
        depth = depth + 1 if mark in "([{" else max(depth - 1, 0)
        greatest = max(greatest, depth)
    return greatest


def sentence_lengths(text: str) -> list[int]:
    """Return the number of words in every sentence, where words are what stands between white space.

    Unlike textstat's, sentences also end at the end of a line, and do not end inside "3.14"; the marks of answer
    options ("A.", "(B)") belong to no sentence.
    """
    pieces = _SENTENCE_END.split(_OPTION.sub("", text))
    return [len(piece.split()) for piece in pieces if _WORD_CHARACTER.search(piece)]


def structure(text: str) -> tuple[float, ...]:
    """Compute the columns of NAMES; all are 0 for an empty text.

    Counts cover the whole text. Operators are per character, numbers per word, sentence lengths are in words, and lines
    are those that are not blank.
    """
    lengths = sentence_lengths(text)
    return (
        len(_NEGATION.findall(text)),
        len(_LATEX.findall(text)),
        len(_OPERATOR.findall(text)) / max(len(text), 1),
        len(_EQUATION.findall(text)),
        len(_CODE.findall(text)),
        bracket_depth(text),
        len(_NUMBER.findall(text)) / max(len(text.split()), 1),
        len(lengths),
        sum(lengths) / max(len(lengths), 1),
        max(lengths, default=0),
        len(_OPTION.findall(text)),
        sum(map(text.count, "?？؟")),
        sum(not line.isspace() for line in text.splitlines() if line),
    )
