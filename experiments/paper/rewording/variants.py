"""All variants of a query's text, by name."""

from collections.abc import Callable, Mapping

from experiments.paper.rewording import whitespace, wording

VARIANTS: Mapping[str, Callable[[str], str]] = {
    "line end after": whitespace.newline_after,
    "blank before": whitespace.blank_before,
    "doubled blanks": whitespace.doubled_blanks,
    "Windows line ends": whitespace.windows_lines,
    "instruction before": wording.instruction_before,
    "instruction after": wording.instruction_after,
    "first letter": wording.first_letter,
    "A) for A.": wording.option_letters,
    "options reversed": wording.option_order,
}
"""Name and what rewrites a text; a text that a variant leaves unchanged is not measured under it."""
