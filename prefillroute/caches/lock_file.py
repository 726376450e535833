"""A lock for file systems that have none: a file that only one process can make, and that says who made it."""

import json
import logging
import os
import socket
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from prefillroute.errors import UserError

log = logging.getLogger(__name__)

POLL_S = 0.2
PATIENCE_S = 600.0
"""A holder that is waited for holds the lock for the seconds that an index takes; the same one for longer is gone."""


@dataclass(frozen=True)
class Holder:
    """Who holds a lock."""

    host: str
    pid: int
    namespace: str
    """Of process ids: inside two containers of one name the same id means two processes. Empty without /proc."""
    started: str
    """When the process started, in the kernel's ticks, so that its id is not taken for a later process's."""
    since: str
    """Local time of taking the lock."""

    @classmethod
    def me(cls) -> "Holder":
        """This process, now."""
        since = datetime.now().astimezone().isoformat(timespec="seconds")
        return cls(socket.gethostname(), os.getpid(), _namespace(), _started(os.getpid()), since)

    @property
    def gone(self) -> bool:
        """Whether it ran here and has ended; of another machine's process nobody can tell."""
        if (self.host, self.namespace) != (socket.gethostname(), _namespace()):
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        return _started(self.pid) != self.started

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} since {self.since}"


class ExclusiveFile:
    """Held from the making of the file until it is removed; a file whose process has ended is taken over.

    The file is written under a name of its own and linked to the lock's, which fails where that exists, on NFS and
    Lustre too; so nobody ever reads half of one.

    Args:
        path: the file; its folder exists.
        what: named in the message to whoever comes second.
        wait: wait until the lock is free instead of raising.
        patience: seconds to wait for one and the same holder.

    Raises:
        UserError: it is held, with the holder and the file to remove should that process be gone.
    """

    def __init__(self, path: Path, what: str, *, wait: bool = False, patience: float = PATIENCE_S) -> None:
        self.path = path
        self._own = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.{id(self)}")
        self._text = json.dumps(asdict(Holder.me()))
        waiting_for, until = None, time.monotonic() + patience
        while not self._take():
            holder = read_holder(path)
            if holder is None:
                continue  # it has just been given back
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
        """Make the file; false where it is there."""
        self._own.write_text(self._text)
        try:
            os.link(self._own, self.path)
        except FileExistsError:
            return False
        except OSError:  # no hard links: make it where it stands
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
        """Remove the file of a process that is gone, unless another one has taken it over in the meantime."""
        aside = self._own.with_name(f"{self._own.name}.stale")
        try:
            self.path.rename(aside)
        except FileNotFoundError:
            return
        if _holder(_read(aside)) != holder:
            os.link(aside, self.path)
        aside.unlink(missing_ok=True)


def read_holder(path: Path) -> Holder | None:
    """Who holds a lock; None where nobody does.

    Raises:
        UserError: the file says nobody's name; names the way out.
    """
    for _ in range(10):
        text = _read(path)
        if text is None:
            return None
        holder = _holder(text)
        if holder is not None:
            return holder
        time.sleep(POLL_S)  # without hard links it is empty for a moment
    raise UserError(
        f"{path}: says nothing of who holds the lock; expected host and process: if no other process is writing here, "
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


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Field 22 of /proc/<pid>/stat; empty for one that has ended and is not yet waited for, and without /proc."""
    try:
        # The command, field 2, may hold blanks and brackets.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
