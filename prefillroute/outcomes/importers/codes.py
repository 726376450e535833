"""Cells of rows as codes: what is done for one row is done once for all rows that are like it."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np


class Codes(dict):
    """Cells of a row -> code; ``add`` gives the code of what is not there yet."""

    def __init__(self, add: Callable[[Any], int]) -> None:
        super().__init__()
        self._add = add

    def __missing__(self, key: Any) -> int:
        self[key] = code = self._add(key)
        return code

    def of(self, keys: Iterable[Any], count: int) -> np.ndarray:
        """(count,) int64 codes of as many keys."""
        return np.fromiter(map(self.__getitem__, keys), np.int64, count)
