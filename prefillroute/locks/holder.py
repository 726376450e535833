"""Which process holds something: enough to tell on its machine whether it still runs."""

import os
import socket
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Holder:
    """A process that holds a lock or runs a job."""

    host: str
    pid: int
    namespace: str
    """Namespace of the process id: in two containers of one name, equal ids mean two processes. Empty without /proc."""
    started: str
    """When the process started, in kernel ticks, so that its id is not mistaken for that of a later process."""
    since: str
    """Local time at which it took hold."""

    @classmethod
    def me(cls) -> "Holder":
        """This process, now."""
        return cls.of(os.getpid())

    @classmethod
    def of(cls, pid: int) -> "Holder":
        """A process of this machine, now."""
        since = datetime.now().astimezone().isoformat(timespec="seconds")
        return cls(socket.gethostname(), pid, _namespace(), _started(pid), since)

    @property
    def is_here(self) -> bool:
        """Whether its process id means something on this machine and in this container."""
        return (self.host, self.namespace) == (socket.gethostname(), _namespace())

    @property
    def gone(self) -> bool:
        """Whether the process ran on this machine and has ended; a process on another machine cannot be checked."""
        if not self.is_here:
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


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Field 22 of /proc/<pid>/stat; empty for a process that has ended but was not yet reaped, and without /proc."""
    try:
        # The command, field 2, may contain blanks and brackets.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
