"""The queries of a public data set: those with equal ids and equal text, white space aside, are one."""

import ast
import re
from dataclasses import dataclass, field
from typing import Any

from prefillroute.outcomes.duplicates import GROUP_COLUMN
from prefillroute.outcomes.importers.log_queries import query_digest
from prefillroute.outcomes.importers.records.values import BadCellError, checked_text, name_of, text_of

NO_TEXT, BAD_TEXT = -1, -2
"""Codes of what is no query."""
WHY = {NO_TEXT: "record without query text", BAD_TEXT: "record with a text that cannot be kept"}


@dataclass
class PublicQueries:
    """Queries by code, in order of appearance."""

    name: str
    """Of the data set: the benchmark of a query that names none."""
    benchmark_pattern: str | None = None
    """Its first group, found in the query id, is the benchmark and the category of a query that names none."""
    is_list: bool = False
    """Whether a prompt is the text of a Python list of turns."""
    ids: list[str] = field(default_factory=list)
    columns: dict[str, list[str | None]] = field(
        default_factory=lambda: {
            name: [] for name in ("benchmark", "category", "prompt", "split", GROUP_COLUMN)
        }
    )
    """By code."""
    _codes: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, cells: tuple) -> int:
        """Code of the query that a row's cells make, ``NO_TEXT`` or ``BAD_TEXT`` where they make none.

        Args:
            cells: what comes before the id and a slash, `query_id`, `prompt`, `benchmark`, `category`, `split`,
                `near_dup_group`; None where there is none.
        """
        try:
            return self._add(*cells)
        except BadCellError:
            return BAD_TEXT

    def _add(self, prefix: str | None, query_id: Any, prompt: Any, *others: Any) -> int:
        text = text_of(prompt)
        text = checked_text(turns(text) if self.is_list and text else text or "")
        if not text.strip():
            return NO_TEXT
        names = [name_of(cell) for cell in others]
        benchmark, category, split, group = (None if name is None else checked_text(name) for name in names)
        found = name_of(query_id)
        query = (
            query_digest(text) if found is None else checked_text(f"{prefix}/{found}" if prefix else found)
        )
        code = self._codes.setdefault((query, "".join(text.split())), len(self.ids))
        if code < len(self.ids):
            self._move(code, split)
            return code
        if (
            benchmark is None
            and self.benchmark_pattern
            and (match := re.match(self.benchmark_pattern, query))
        ):
            benchmark = match[1]
        benchmark = benchmark or self.name
        values = (benchmark, category or benchmark, text, split, group)
        self.ids.append(query)
        for column, value in zip(self.columns.values(), values, strict=True):
            column.append(value)
        return code

    def _move(self, code: int, split: str | None) -> None:
        """A query that the owners have in two parts is in the later one."""
        here = self.columns["split"][code]
        if split is not None and (here is None or rank(split) > rank(here)):
            self.columns["split"][code] = split


RANKS = {"train": 0, "calibration": 1, "test": 2}


def rank(part: str) -> int:
    """Order of the parts: a later one must not be known to an earlier one."""
    return RANKS[part]


def turns(text: str) -> str:
    """The turns of a prompt that is written as a Python list, a blank line between them; another text as it is.

    Example:
        >>> turns("['Write a poem.', 'Now shorter.']")
        'Write a poem.\\n\\nNow shorter.'
        >>> turns("[1] is a reference")
        '[1] is a reference'
    """
    if not text.lstrip().startswith("["):
        return text
    try:
        found = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text
    if type(found) is list and all(type(part) is str for part in found):
        return "\n\n".join(found)
    return text
