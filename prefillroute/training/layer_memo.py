"""Remembers layer choices between the jobs of a sweep: heads and calibrations share one probe of the same data."""

import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyarrow import ArrowException

from prefillroute.files import write_text
from prefillroute.layers.choice import LayerChoice
from prefillroute.outcomes.files import write_table

log = logging.getLogger(__name__)


def memo_key(facts: dict[str, Any], *arrays: np.ndarray) -> str:
    """A name for everything that a layer choice depends on: plain facts, and the arrays' bytes."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode())
    for array in arrays:
        digest.update(str(array.shape).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:20]


def remembered_choice(folder: Path, key: str, choose: Callable[[], LayerChoice]) -> LayerChoice:
    """The choice stored under ``key`` in ``folder``; if there is none, call ``choose`` and store its result.

    A file that cannot be read is replaced, because a memo must never be a reason to fail.
    """
    table_path, choice_path = folder / f"{key}.parquet", folder / f"{key}.json"
    try:
        choice = LayerChoice.from_dict(json.loads(choice_path.read_text()), pd.read_parquet(table_path))
        log.info("layer choice: taken from %s", choice_path)
        return choice
    except (OSError, ValueError, KeyError, ArrowException):
        pass
    choice = choose()
    write_table(choice.table, table_path)
    write_text(choice_path, json.dumps(choice.to_dict(), indent=1))
    return choice
