"""One writer per shard: an advisory lock on a file of its own, which readers and HDF5 never meet."""

import fcntl
import os
import socket
from pathlib import Path
from types import TracebackType

from prefillroute.errors import UserError


class FileLock:
    """An exclusive lock that the kernel drops when its process ends, however it ends.

    Args:
        path: lock file; made when missing and left behind (removing it would race with the next holder).
        what: named in the message to whoever comes second.
        wait: block until the lock is free instead of raising.

    Raises:
        UserError: the lock is held and `wait` is false, or the lock file cannot be made.
    """

    def __init__(self, path: Path, what: str, *, wait: bool = False) -> None:
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise UserError(
                f"{path}: cannot be written ({error.strerror}); a writable folder wanted"
            ) from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._handle, 200, 0).decode("utf-8", "replace").strip() or "another process"
            os.close(self._handle)
            raise UserError(
                f"{what}: is being written by {holder}; wait for it or end it, then try again"
            ) from error
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back; harmless when done twice."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> "FileLock":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
