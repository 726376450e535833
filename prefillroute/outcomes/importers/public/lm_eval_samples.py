"""Samples of the lm-evaluation-harness, one file per model, task and time: the Open LLM Leaderboard, version 2."""

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefillroute.outcomes.importers.collector import Collector
from prefillroute.outcomes.importers.public import long_table
from prefillroute.outcomes.importers.public.table_shape import MissingColumnError
from prefillroute.outcomes.importers.records.chunk import Chunk
from prefillroute.outcomes.importers.records.values import text_of

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, kw_only=True)
class Shape(long_table.Shape):
    """See ``long_table.Shape`` for the other names; ``files`` has the groups `model`, `task` and `time`.

    Args:
        texts: of each kind of task, the fields that its question is made of; the first kind is taken whose fields a
            file has. A field that holds a list, or several fields in a list, are choices.
    """

    texts: Sequence[Sequence[Any]]
    prompt: Sequence[str] = ()

    def chosen(self, files: Sequence[Path], collector: Collector) -> Sequence[Path]:
        """The newest file of each model and task."""
        newest: dict[tuple[str, ...], Path] = {}
        for file in sorted(files, key=lambda file: (self.said(file) or {}).get("time", "")):
            said = self.said(file) or {"model": str(file)}
            key = (said["model"], said.get("task", ""))
            if key in newest:
                collector.skip("older file of the same model and task", str(newest[key]))
            newest[key] = file
        return sorted(newest.values())

    def prompt_columns(self, names: Sequence[str]) -> Sequence[str]:
        """The fields of a question."""
        return list(_fields(self._text(names)))

    def prompts(self, chunk: Chunk) -> Sequence[Any]:
        """Question and choices as a person would be asked."""
        parts = [
            chunk.columns[part]
            if type(part) is str
            else list(zip(*(chunk.columns[name] for name in part), strict=True))
            for part in self._text(chunk.names)
        ]
        return ["\n\n".join(filter(None, map(worded, cells))) for cells in zip(*parts, strict=True)]

    def _text(self, names: Sequence[str]) -> Sequence[Any]:
        for text in self.texts:
            if all(name in names for name in _fields(text)):
                return text
        raise MissingColumnError(" or ".join(f"'{' + '.join(_fields(text))}'" for text in self.texts))


def _fields(text: Sequence[Any]) -> Iterable[str]:
    for part in text:
        yield from [part] if type(part) is str else part


def worded(cell: Any) -> str:
    """A field as text: choices are lettered, one a line.

    Example:
        >>> worded(["red", "blue"])
        'A. red\\nB. blue'
    """
    if type(cell) is str and cell.startswith("["):
        try:
            cell = ast.literal_eval(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return str(cell)
    if type(cell) in (list, tuple):
        pairs = zip(LETTERS, cell, strict=False)
        return "\n".join(f"{letter}. {str(choice).strip()}" for letter, choice in pairs if choice is not None)
    return (text_of(cell) or "").strip()
