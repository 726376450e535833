"""The queries of a user's log, each once, however many rows it has."""

import hashlib
from dataclasses import dataclass, field

import numpy as np

from prefillroute.errors import UserError
from prefillroute.outcomes.duplicates import GROUP_COLUMN
from prefillroute.outcomes.importers.records.values import BadCellError, checked_text
from prefillroute.outcomes.importers.spelling import whole
from prefillroute.outcomes.validation import PARTS

QUERY_EXTRAS = ("split", GROUP_COLUMN)
QUERY_CELLS = ("query_id", "prompt", "benchmark", "category", *QUERY_EXTRAS)
"""Order of the cells that ``LogQueries.add`` takes."""
DEFAULT = "log"
"""Benchmark of a log that names none."""


def query_digest(prompt: str) -> str:
    """The id of a query that has none: equal for prompts that differ in blanks only."""
    return hashlib.sha256(" ".join(prompt.split()).encode()).hexdigest()[:16]


class BadQueryError(ValueError):
    """Cells that cannot be taken. Its arguments: our name of the column, and what was expected and found."""


def needed_text(name: str, text: str | None) -> str:
    """A checked text.

    Raises:
        BadQueryError: for one that is missing, blank, or not to be written in UTF-8.
    """
    text = optional_text(name, text)
    if text is None:
        raise BadQueryError(name, "expected text, found an empty cell")
    return text


def optional_text(name: str, text: str | None) -> str | None:
    """A checked text, None where it is blank.

    Raises:
        BadQueryError: for one that cannot be written in UTF-8.
    """
    if text is None:
        return None
    try:
        text = checked_text(text)
    except BadCellError as error:
        raise BadQueryError(name, str(error)) from error
    return text if text.strip() else None


@dataclass
class LogQueries:
    """Queries by code, in order of appearance."""

    queries: list[dict[str, str | None]] = field(default_factory=list)
    """`query_id`, `benchmark`, `category`, `prompt` and those of ``QUERY_EXTRAS`` that the file has a column of."""
    differing: dict[str, list[str]] = field(default_factory=dict)
    """What differs between rows of one query -> their query ids."""
    _codes: dict[str, int] = field(default_factory=dict)
    """query_id -> code."""
    _texts: list[str] = field(default_factory=list)
    """Prompts without blanks, by code."""

    def add(self, key: tuple) -> int:
        """Take the cells of a row.

        Args:
            key: the cells of ``QUERY_CELLS``, None where missing; then, for each of ``QUERY_EXTRAS``, whether the
                file has such a column.

        Returns:
            The query's code.

        Raises:
            BadQueryError: for a cell that cannot be taken, or one that contradicts another row of the query.
        """
        query_id, prompt, benchmark, category, *extras, has = key
        prompt = needed_text("prompt", prompt)
        query_id = optional_text("query_id", query_id) or query_digest(prompt)
        benchmark = optional_text("benchmark", benchmark)
        query: dict[str, str | None] = {
            "query_id": query_id,
            "benchmark": benchmark or DEFAULT,
            "category": optional_text("category", category) or benchmark or DEFAULT,
            "prompt": prompt,
        }
        for name, value, is_there in zip(QUERY_EXTRAS, extras, has, strict=True):
            if is_there:
                query[name] = optional_text(name, value)
        if "split" in query and query["split"] not in PARTS:
            raise BadQueryError("split", f"expected one of {', '.join(PARTS)}, found {query['split']!r}")
        text = "".join(prompt.split())
        code = self._codes.setdefault(query_id, len(self.queries))
        if code == len(self.queries):
            self.queries.append(query)
            self._texts.append(text)
        elif self._texts[code] != text:
            raise BadQueryError(
                "prompt",
                f"expected one prompt per query_id (or no query_id at all), found a second one under '{query_id}'",
            )
        else:
            self._compare(self.queries[code], query)
        return code

    def merged_numbers(self) -> tuple[np.ndarray, str | None]:
        """Ids that are one number written twice (1 and 1.0) and have one prompt are one query.

        Returns:
            (queries,) int64 code of the query that each is, and a note where any are merged.
        """
        codes = np.arange(len(self.queries))
        first: dict[tuple[str, str], int] = {}
        merged = []
        for code, (query, text) in enumerate(zip(self.queries, self._texts, strict=True)):
            codes[code] = first.setdefault((whole(str(query["query_id"])), text), code)
            if codes[code] != code:
                merged.append(code)
        if not merged:
            return codes, None
        second, one = (self.queries[code]["query_id"] for code in (merged[0], codes[merged[0]]))
        return codes, (
            f"{len(merged):,} query ids are a number written in two ways, with one prompt; each is one query "
            f"(for instance '{second}' is '{one}')"
        )

    def check_split(self) -> None:
        """Refuse a split that some queries have and others lack.

        Raises:
            UserError: naming one of each.
        """
        has = [query for query in self.queries if "split" in query]
        if has and len(has) < len(self.queries):
            lacks = next(query for query in self.queries if "split" not in query)
            raise UserError(
                f"split: expected one of {', '.join(PARTS)} for every query, or no column split in any file, found "
                f"none for query '{lacks['query_id']}' and one for query '{has[0]['query_id']}'"
            )

    def _compare(self, first: dict[str, str | None], second: dict[str, str | None]) -> None:
        """Two rows of one query must agree in what decides its part of the data; of the rest the first is kept."""
        for name in QUERY_EXTRAS:
            if name in first and name in second and first[name] != second[name]:
                raise BadQueryError(
                    name,
                    f"expected {first[name]!r} as in another row of query '{first['query_id']}', found "
                    f"{second[name]!r}",
                )
        for name in ("benchmark", "category", "prompt"):
            if first[name] != second[name]:
                what = "prompts that differ in blanks" if name == "prompt" else f"different values of {name}"
                self.differing.setdefault(what, []).append(str(first["query_id"]))
