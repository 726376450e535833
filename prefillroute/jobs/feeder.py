"""The command that starts a sweep's jobs a few at a time: while it runs, jobs without a start still get theirs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from prefillroute.files import write_text
from prefillroute.locks.holder import Holder

FEEDER_FILE = "feeder.json"


@contextmanager
def feeding(sweep_dir: Path) -> Iterator[None]:
    """Name this process in the sweep's folder for as long as the block runs."""
    path = sweep_dir / FEEDER_FILE
    write_text(path, json.dumps(asdict(Holder.me())) + "\n")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def feeder_of(sweep_dir: Path) -> Holder | None:
    """The process that still starts jobs of this sweep, if there is one; one on another machine counts as running."""
    try:
        holder = Holder(**json.loads((sweep_dir / FEEDER_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return None if holder.gone else holder
