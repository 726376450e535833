"""A lock for file systems without locks: a file that only one process can create and that says who created it."""

import json
import logging
import os
import socket
import time
from dataclasses import asdict
from pathlib import Path

from prefillroute.errors import UserError
from prefillroute.locks.holder import Holder

log = logging.getLogger(__name__)

POLL_S = 0.2
PATIENCE_S = 600.0
"""An index takes seconds to write, so a process that seems to hold the lock for longer than this has ended."""


class ExclusiveFile:
    """A lock held from the creation of its file until its removal; the file of a process that has ended is taken over.

    The file is written under a temporary name and then linked to the lock's name, which fails if that name exists (on
    NFS and Lustre too), so nobody ever reads a half-written file.

    Args:
        path: the lock file; its folder must exist.
        what: what is locked, named in the message to the second writer.
        wait: wait until the lock is free instead of raising.
        patience: seconds to wait for the same holder.

    Raises:
        UserError: the lock is held; the message names the holder, and the file to remove if that process is gone.
    """

    def __init__(self, path: Path, what: str, *, wait: bool = False, patience: float = PATIENCE_S) -> None:
        self.path = path
        self._own = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.{id(self)}")
        self._text = json.dumps(asdict(Holder.me()))
        waiting_for, until = None, time.monotonic() + patience
        while not self._take():
            holder = read_holder(path)
            if holder is None:
                continue  # it has just been released
            if holder.gone:
                log.warning("%s: left behind by %s, which has ended; taken over", path, holder)
                self._remove(holder)
                continue
            if holder != waiting_for:
                waiting_for, until = holder, time.monotonic() + patience
            if not wait or time.monotonic() > until:
                raise UserError(
                    f"{what}: is being written by {holder}, says {path} (this file system has no locks); wait for it "
                    f"or end it; if that process is gone, remove {path}; then run the same command again"
                )
            time.sleep(POLL_S)

    def release(self) -> None:
        """Remove the file if it is still this lock's."""
        if _read(self.path) == self._text:
            self.path.unlink(missing_ok=True)

    def _take(self) -> bool:
        """Create the file; return False if it already exists."""
        self._own.write_text(self._text)
        try:
            os.link(self._own, self.path)
        except FileExistsError:
            return False
        except OSError:  # no hard links: create it in place
            return self._make()
        finally:
            self._own.unlink(missing_ok=True)
        return True

    def _make(self) -> bool:
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            return False
        with os.fdopen(handle, "w") as file:
            file.write(self._text)
        return True

    def _remove(self, holder: Holder) -> None:
        """Remove the file of a process that is gone, unless another process has taken it over in the meantime."""
        aside = self._own.with_name(f"{self._own.name}.stale")
        try:
            self.path.rename(aside)
        except FileNotFoundError:
            return
        if _holder(_read(aside)) != holder:
            os.link(aside, self.path)
        aside.unlink(missing_ok=True)


def read_holder(path: Path) -> Holder | None:
    """Who holds a lock; None if nobody does.

    Raises:
        UserError: the file does not name a holder; the message names the way out.
    """
    for _ in range(10):
        text = _read(path)
        if text is None:
            return None
        holder = _holder(text)
        if holder is not None:
            return holder
        time.sleep(POLL_S)  # without hard links the file is empty for a moment
    raise UserError(
        f"{path}: expected the host and process that hold the lock, found neither; if no other process is writing, "
        f"remove {path} and run the same command again"
    )


def _holder(text: str | None) -> Holder | None:
    try:
        return Holder(**json.loads(text or ""))
    except (ValueError, TypeError):
        return None


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except FileNotFoundError:
        return None
