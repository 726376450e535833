"""What every importer has: a function that finds its files, and one that reads them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from prefillroute.outcomes.importers.collector import Collector

Advance = Callable[[int], None]
"""Told how many bytes were read since it was last called."""


class Importer(Protocol):
    """A module of this room that a `Layout` names as its reader."""

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
