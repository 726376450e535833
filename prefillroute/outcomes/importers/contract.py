"""What every importer has: a function that finds its files, and one that reads them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from prefillroute.outcomes.importers.collector import Collector
from prefillroute.outcomes.importers.layout import Layout

Advance = Callable[[int], None]
"""Told how many bytes were read since it was last called."""


class Importer(Protocol):
    """A module of this room that a `Layout` names as its reader, or the `Shape` of such a module."""

    def find(self, path: Path) -> list[Path]:
        """The files to be read at a path that a person named.

        Raises:
            UserError: when there is none.
        """

    def read(self, given: "Given", collector: Collector, advance: Advance, **options: Any) -> None:
        """Hand every outcome to the collector.

        Args:
            given: what is read.
            collector: takes the outcomes, counts what is left out, and keeps notes for the person.
            advance: told of the progress.
            options: those of the layout, as they were typed.

        Raises:
            UserError: naming file and row or the option, for what must not be left out in silence.
        """


def importer_of(layout: Layout, module: ModuleType) -> Importer:
    """What reads a layout: its reader module, or that module's `Shape` with the names of one public data set."""
    found: Importer = module if layout.names is None else module.Shape(**layout.names)
    return found


@dataclass(frozen=True)
class Given:
    """What a person named, and what was found there."""

    paths: Sequence[Path]
    files: Sequence[Path]
    """Each once, though it may be named twice, or beside its folder."""

    @classmethod
    def at(cls, paths: Sequence[Path], find: Callable[[Path], list[Path]]) -> "Given":
        """Look for an importer's files at the paths.

        Raises:
            UserError: there is none at one of them.
        """
        files = {file.resolve(): file for path in paths for file in find(path)}
        return cls(paths, list(files.values()))
