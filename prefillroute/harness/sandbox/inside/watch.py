"""Reads what a child writes, and says when it must be ended because it exceeds a limit."""

import os
import resource
import select
import time
from typing import Any

STDERR_BYTES = 4000
STDERR = 1
INTERVAL_SECONDS = 0.02


class Watch:
    """The pipes of one child: standard output, standard error, and the value of a function."""

    def __init__(self, child: int, pipes: list[int], limits: dict[str, Any], start: float) -> None:
        """Begin to watch.

        Args:
            child: the child's process id.
            pipes: the pipes' ends to read from.
            limits: the fields of `Limits`.
            start: `time.monotonic()` when the child was forked.
        """
        self.data = [bytearray() for _ in pipes]
        """What came out of each pipe; for standard error, only the end."""
        self._pipes = dict(enumerate(pipes))
        self._room = limits["output_mb"] * 10**6
        self._memory = limits["memory_mb"] * 10**6
        self._deadline = start + limits["wall_seconds"]
        self._ended = os.pidfd_open(child)
        for pipe in pipes:
            os.set_blocking(pipe, False)

    def until_end(self) -> str:
        """Wait for the child; return the reason to stop it, empty if it ended by itself."""
        measured = time.monotonic()
        while True:
            ready, _, _ = select.select([self._ended, *self._pipes.values()], [], [], INTERVAL_SECONDS)
            now = time.monotonic()
            if not self._read():
                return "output"
            if self._ended in ready:
                return ""
            if now > self._deadline:
                return "time"
            if now - measured > INTERVAL_SECONDS:
                measured = now
                if resident_bytes() > self._memory:
                    return "memory"

    def drain(self) -> None:
        """Read what is left in the pipes after the last writer is gone, and close them."""
        while self._pipes and self._read():
            pass
        for descriptor in (self._ended, *self._pipes.values()):
            os.close(descriptor)

    def _read(self) -> bool:
        """Read once from each pipe; return False if one of them has exceeded its limit."""
        for index, pipe in list(self._pipes.items()):
            try:
                chunk = os.read(pipe, 1 << 16)
            except BlockingIOError:
                continue
            if not chunk:
                os.close(self._pipes.pop(index))
            data = self.data[index]
            data += chunk
            if index == STDERR:
                del data[:-STDERR_BYTES]
            elif len(data) > self._room:
                del data[self._room :]
                return False
        return True


def resident_bytes() -> int:
    """Private resident memory in bytes of all processes of the sandbox except process 1."""
    pages = 0
    for name in os.listdir("/proc"):
        if name.isdecimal() and name != "1":
            try:
                with open(f"/proc/{name}/statm") as file:
                    _, resident, shared = map(int, file.read().split()[:3])
            except (OSError, ValueError):  # the process ended in the meantime
                continue
            pages += resident - shared
    return pages * resource.getpagesize()
