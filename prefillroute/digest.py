"""A short name for everything that a result depends on."""

import hashlib
import json
from typing import Any

import numpy as np


def digest(facts: dict[str, Any], *arrays: np.ndarray) -> str:
    """Digest plain facts and arrays, so that equal ones have equal names on every machine.

    Args:
        facts: plain values; the order of keys does not matter.
        arrays: their shapes and bytes count.

    Returns:
        20 hexadecimal digits of a SHA-256 sum.

    Example:
        >>> digest({"seed": 0, "name": "a"}, np.zeros(2)) == digest({"name": "a", "seed": 0}, np.zeros(2))
        True
        >>> digest({"seed": 0}, np.zeros((2, 1))) == digest({"seed": 0}, np.zeros((1, 2)))
        False
    """
    found = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode())
    for array in arrays:
        found.update(str(array.shape).encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:20]
