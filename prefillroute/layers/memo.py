"""Remembers the scores of layers between jobs: heads, calibrations and modes share one probe of the same data.

While the layers of an encoder are scored, every finished probe is kept in a file, for whoever scores the same layers:
a job that was stopped goes on there, and jobs that run at the same time share the work that one has done.
"""

import json
import logging
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from pyarrow import ArrowException

from prefillroute.errors import UserError
from prefillroute.files import write_text
from prefillroute.layers.contract import Remember
from prefillroute.layers.table import ProbeTable
from prefillroute.outcomes.files import write_table
from prefillroute.probes.layer_probe import LayerProbe

log = logging.getLogger(__name__)


def remembered_table(folder: Path, key: str, make: Callable[[Remember], ProbeTable]) -> ProbeTable:
    """The table stored under `key` in `folder`; if there is none, call `make` and store its result.

    A file that cannot be read is replaced, because a memo must never be a reason to fail.

    Args:
        folder: is created if missing.
        key: the `digest` of all that the table depends on: the layer strategy, the task, the encoder's cache.
        make: scores the layers of one encoder, and is given what remembers its probes.

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
    probes = KeptProbes(folder / f"{key}.probes")
    table = make(probes)
    write_table(table.frame, frame_path)
    write_text(table_path, json.dumps(table.to_dict(), indent=1))
    probes.remove()
    return table


class KeptProbes:
    """A `Remember` that keeps every probe in a file of its own.

    Args:
        folder: is created with the first probe.

    Example:
        >>> import tempfile
        >>> probe = LayerProbe((2,), np.array([[0.6]]), np.array([np.nan]), np.array([np.nan]), 1.5, 0.1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     first = KeptProbes(Path(folder))("layer 1 mean", lambda: probe)
        ...     again = KeptProbes(Path(folder))("layer 1 mean", lambda: 1 / 0)
        >>> again.auc.tolist(), again.d_eff
        ([[0.6]], 1.5)
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, name: str, make: Callable[[], LayerProbe]) -> LayerProbe:
        """The probe of this name."""
        path = self.folder / f"{name}.json"
        try:
            return _read_probe(path)
        except (OSError, ValueError, KeyError, TypeError):
            pass
        probe = make()
        try:
            write_text(path, json.dumps(asdict(probe), default=np.ndarray.tolist))
        except (OSError, UserError) as error:
            # A job that has finished the table may be removing the folder. A full disk is reported with the table.
            log.debug("%s: not kept (%s)", path, error)
        return probe

    def remove(self) -> None:
        """Remove the files, whose content is in the table now; another job may be removing them, too."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _read_probe(path: Path) -> LayerProbe:
    found = json.loads(path.read_text("utf-8"))
    arrays = {
        name: np.array(found[name], dtype=np.float64) for name in ("auc", "fisher_j", "fisher_j_permuted")
    }
    arrays["auc"] = arrays["auc"].reshape(len(found["dims"]), len(arrays["fisher_j"]))
    return LayerProbe(**{**found, **arrays, "dims": tuple(found["dims"])})
