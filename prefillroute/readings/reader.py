"""How the models of one group are found in caches and run live; `readings.readers` has one module for each group."""

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefillroute.caches.identity import CacheIdentity
from prefillroute.errors import UserError
from prefillroute.extraction.backends.contract import Backend
from prefillroute.readings import readers
from prefillroute.readings.contract import Cell


class Reader(ABC):
    """The contract of a reader, which handles one group of models."""

    form: type
    """The dataclass of a model's facts, which `conf/<group>/<name>.yaml` fills in."""

    @abstractmethod
    def cache(self, caches: Path, facts: Any) -> Path:
        """The index file of a model's cache in the folder of all caches."""

    @abstractmethod
    def check(self, identity: CacheIdentity, path: Path, facts: Any) -> None:
        """Compare a cache with a model's facts.

        Raises:
            UserError: the cache was made with other facts.
        """

    def settled(self, facts: Any, identity: CacheIdentity) -> Any:
        """The facts, completed from the cache where they leave something open."""
        return facts

    def obstacle(self, facts: Any, identity: CacheIdentity) -> str | None:
        """Why a model cannot be run on new queries, so that no bundle may need it; None if it can."""
        return None

    @abstractmethod
    def load(self, facts: Any, identity: CacheIdentity, cells: Sequence[Cell], device: str) -> Backend:
        """The model, to be run on new queries as it was when its cache was made.

        Args:
            facts: facts of the model.
            identity: identity of the cache that was trained on.
            cells: the layers and poolings that are wanted.
            device: `auto`, `cpu`, `cuda`, ...

        Raises:
            UserError: its files are not available.
        """


def reader_of(group: str) -> Reader:
    """The reader of a group.

    Raises:
        UserError: no module of `readings.readers` has this name.
    """
    known = sorted(module.name for module in pkgutil.iter_modules(readers.__path__))
    if group not in known:
        raise UserError(f"reading: expected a model of one of the groups {', '.join(known)}, found {group}")
    module = importlib.import_module(f"{readers.__name__}.{group}")
    reader: Reader = module.Reader()
    return reader
