"""What the tests of twins share: the options of a group, and whether a division keeps units whole."""

from typing import Any

import numpy as np

from prefillroute.config.search import conf_dir

CONF = conf_dir()
World = Any  # of conftest.py
PAIR = 25
"""Flipped; a training pair."""


def options(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def undivided(part: np.ndarray, unit: np.ndarray) -> bool:
    """Whether every unit lies in one part."""
    return all(len(np.unique(part[unit == one])) == 1 for one in np.unique(unit))
