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


def is_fed(sweep_dir: Path) -> bool:
    """Whether a process still starts jobs of this sweep; one on another machine counts as running."""
    try:
        return not Holder(**json.loads((sweep_dir / FEEDER_FILE).read_text(encoding="utf-8"))).gone
    except (OSError, ValueError, TypeError):
        return False
