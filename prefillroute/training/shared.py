"""What the jobs of one sweep share within a process: outcomes, features, logits."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from omegaconf import OmegaConf

Made = TypeVar("Made")


class Recent:
    """A cache of the last few results, by the key of what they were made from.

    Args:
        capacity: number of results kept; the least recently used one is dropped first.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._made: OrderedDict[str, Any] = OrderedDict()

    def get(self, key: str, make: Callable[[], Made]) -> Made:
        """The result stored under `key`; if there is none, call `make` and store its result."""
        if key in self._made:
            self._made.move_to_end(key)
            found: Made = self._made[key]
            return found
        made = make()
        self._made[key] = made
        while len(self._made) > self._capacity:
            self._made.popitem(last=False)
        return made


class Shared:
    """Work of earlier jobs of the sweep that later jobs need not repeat.

    Logits are small and all of them are kept, so that calibrations and blends of a predictor cost nothing; feature
    arrays are large and only the last few are kept.
    """

    def __init__(self) -> None:
        self.data = Recent(2)
        self.features = Recent(4)
        self.predictions = Recent(10_000)


def key_of(*parts: Any) -> str:
    """A key for everything that a result is made from: configuration nodes, plain values, file stamps."""
    plain = [
        OmegaConf.to_container(part, resolve=True) if OmegaConf.is_config(part) else part for part in parts
    ]
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()


def stamp(path: Path) -> tuple[int, int] | None:
    """Size and modification time of a file; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
