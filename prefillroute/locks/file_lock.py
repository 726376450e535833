"""One writer per shard: an advisory lock on a separate file, which readers and HDF5 never touch."""

import errno
import fcntl
import logging
import os
import socket
from pathlib import Path
from types import TracebackType

from prefillroute.errors import UserError
from prefillroute.locks.exclusive_file import ExclusiveFile

log = logging.getLogger(__name__)

HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL)
"""Errors of `flock` on a file system without locks: NFS without lockd, Lustre mounted without flock, FUSE."""


class FileLock:
    """An exclusive lock that the kernel releases when its process ends, however it ends.

    Where the file system has no locks, an `ExclusiveFile` beside it takes the lock's place.

    Args:
        path: lock file; created if missing and left behind (removing it would race with the next holder).
        what: what is locked, named in the message to the second writer.
        wait: block until the lock is free instead of raising.

    Raises:
        UserError: the lock is held and `wait` is false, or the lock file cannot be made.
    """

    def __init__(self, path: Path, what: str, *, wait: bool = False) -> None:
        self._instead: ExclusiveFile | None = None
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise UserError(f"{path}: expected a writable folder, found {error.strerror}") from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._handle, 200, 0).decode("utf-8", "replace").strip() or "another process"
            self._close()
            if error.errno in HELD:
                raise UserError(
                    f"{what}: is being written by {holder}; wait for it or end it, then try again"
                ) from error
            if error.errno not in NO_LOCKS:
                raise UserError(
                    f"{path}: expected a file system with locks, found {error.strerror}; for instance, use another "
                    "paths.caches"
                ) from error
            log.info(
                "%s: no locks on this file system (%s); a lock file takes their place", path, error.strerror
            )
            self._instead = ExclusiveFile(path.with_suffix(".held"), what, wait=wait)
            return
        beside = path.with_suffix(".held")
        if (
            beside.exists()
        ):  # belongs to a machine that mounts the same folder without locks, or was left behind by one
            try:
                ExclusiveFile(beside, what, wait=wait).release()
            except BaseException:
                self._close()
                raise
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)

    def release(self) -> None:
        """Release the lock; calling this twice is harmless."""
        self._close()
        if self._instead is not None:
            self._instead.release()
            self._instead = None

    def _close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> "FileLock":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
