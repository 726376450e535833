"""Remembers the scores of layers between jobs: heads, calibrations and modes share one probe of the same data."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from pyarrow import ArrowException

from prefillroute.files import write_text
from prefillroute.layers.table import ProbeTable
from prefillroute.outcomes.files import write_table

log = logging.getLogger(__name__)


def remembered_table(folder: Path, key: str, make: Callable[[], ProbeTable]) -> ProbeTable:
    """The table stored under `key` in `folder`; if there is none, call `make` and store its result.

    A file that cannot be read is replaced, because a memo must never be a reason to fail.

    Args:
        folder: is created if missing.
        key: the `digest` of all that the table depends on: the layer strategy, the task, the encoder's cache.
        make: scores the layers of one encoder.

    Raises:
        UserError: the files cannot be written, or `make` raises it.
    """
    frame_path, table_path = folder / f"{key}.parquet", folder / f"{key}.json"
    try:
        table = ProbeTable.from_dict(json.loads(table_path.read_text("utf-8")), pd.read_parquet(frame_path))
        log.info("layer scores: taken from %s", table_path)
        return table
    except (OSError, ValueError, KeyError, TypeError, ArrowException):
        pass
    table = make()
    write_table(table.frame, frame_path)
    write_text(table_path, json.dumps(table.to_dict(), indent=1))
    return table
