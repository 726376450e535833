"""Fills one shard, batch by batch. If it is killed at any point, the next writer continues where it stopped."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np

from prefillroute.caches.checksums import row_checksums
from prefillroute.caches.identity import CacheIdentity
from prefillroute.caches.shard import ShardPlan, create_shard, open_shard
from prefillroute.caches.validation import check_activations, to_storage
from prefillroute.errors import UserError
from prefillroute.locks.file_lock import FileLock

SYNC_EVERY_S = 5.0


class ActivationWriter:
    """The only writer of a shard. Bytes go to the kernel in the order data, checksums, `done`.

    A killed process therefore loses at most the batch in progress. A power cut may lose more, because the disk is
    synced every 5 s: such rows fail their checksum, and `verify` puts them back in the queue.

    Args:
        path: shard file; created if missing.
        plan: what the shard holds; must equal the plan in an existing file.
        identity: what determines the numbers.
        part: which array job's shard this is, for instance `0/1`.
        versions: library versions, recorded in the file.

    Raises:
        UserError: another process is writing the shard, it is damaged or has another identity, or there is no room.
    """

    def __init__(
        self, path: Path, plan: ShardPlan, identity: CacheIdentity, part: str = "0/1", versions: str = ""
    ) -> None:
        self.path, self.plan = path, plan
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(path.with_suffix(".lock"), str(path))
        try:
            if not path.exists():
                create_shard(path, plan, identity, part, versions)
            shard = open_shard(path)
            shard.identity.check(identity, path)
            assert shard.plan.digest() == plan.digest(), "a shard's name holds its plan's digest"
            self._handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            self._lock.release()
            raise UserError(f"{path}: cannot be written ({error.strerror})") from error
        except BaseException:
            self._lock.release()
            raise
        self._extents, self._done_offset = shard.extents, shard.done_offset
        self.done: np.ndarray = shard.done
        """(rows,) bool: which rows need no work."""
        self._dtype = identity.storage_dtype
        self._synced_at = time.monotonic()

    def write(self, rows: Sequence[int], activations: Mapping[str, np.ndarray], names: Sequence[str]) -> None:
        """Check a batch and store it.

        Args:
            rows: B row numbers of the plan.
            activations: pooling -> (B, layers, hidden) float32.
            names: B query ids, for messages.

        Raises:
            UserError: an activation is invalid (then nothing of the batch is stored), or a write failed.
        """
        index = np.asarray(rows, dtype=np.int64)
        layers = self.plan.layer_ids
        stored: dict[str, np.ndarray] = {}
        for pooling in self.plan.poolings:
            values = np.asarray(activations[pooling], dtype=np.float32)
            assert values.shape == (len(index), len(layers), self._extents.hidden_size)
            check_activations(values, names, layers, pooling)
            cast = to_storage(values, self._dtype, names, layers, pooling)
            stored[pooling] = np.ascontiguousarray(cast.transpose(1, 0, 2))  # (layers, B, hidden)
        try:
            for pooling, block in stored.items():
                sums = row_checksums(block)
                for position in range(len(layers)):
                    self._write_layer(pooling, position, index, block[position], sums[position])
            if time.monotonic() - self._synced_at > SYNC_EVERY_S:
                os.fdatasync(self._handle)
                self._synced_at = time.monotonic()
            for row in index:
                _write_all(self._handle, b"\x01", self._done_offset + int(row))
        except OSError as error:
            raise UserError(
                f"{self.path}: cannot be written ({error.strerror}); "
                "the rows done so far are kept: make room and run the same command again"
            ) from error
        self.done[index] = True

    def _write_layer(
        self, pooling: str, position: int, rows: np.ndarray, block: np.ndarray, sums: np.ndarray
    ) -> None:
        extents = self._extents
        # A run is a series of adjacent rows of one chunk, written at once.
        chunk = rows // extents.chunk_rows
        cuts = np.flatnonzero((np.diff(rows) != 1) | (np.diff(chunk) != 0)) + 1
        for run in np.split(np.arange(len(rows)), cuts):
            first = int(rows[run[0]])
            start = int(extents.activations[pooling][position, first // extents.chunk_rows])
            at = start + (first % extents.chunk_rows) * extents.row_bytes
            _write_all(self._handle, block[run[0] : run[-1] + 1].tobytes(), at)
            at = extents.checksums[pooling] + (position * extents.rows + first) * 8
            _write_all(self._handle, sums[run[0] : run[-1] + 1].astype("<u8").tobytes(), at)

    def forget(self, rows: np.ndarray) -> None:
        """Mark rows as not done, so that they are extracted again."""
        for row in rows:
            _write_all(self._handle, b"\x00", self._done_offset + int(row))
        self.done[rows] = False

    def verify(self) -> np.ndarray:
        """Compare every done row with its checksums and forget those that differ; returns their numbers."""
        extents, bad = self._extents, np.zeros(len(self.done), dtype=bool)
        for pooling in self.plan.poolings:
            for position in range(len(self.plan.layer_ids)):
                at = extents.checksums[pooling] + position * extents.rows * 8
                sums = np.frombuffer(os.pread(self._handle, extents.rows * 8, at), dtype="<u8")
                for number, start in enumerate(extents.activations[pooling][position]):
                    first = number * extents.chunk_rows
                    count = min(extents.chunk_rows, extents.rows - first)
                    raw = os.pread(self._handle, count * extents.row_bytes, int(start))
                    found = row_checksums(np.frombuffer(raw, dtype=extents.dtype).reshape(count, -1))
                    bad[first : first + count] |= found != sums[first : first + count]
        damaged = np.flatnonzero(bad & self.done)
        self.forget(damaged)
        return damaged

    def close(self) -> None:
        """Sync and release the shard; calling this twice is harmless."""
        if self._handle >= 0:
            os.fdatasync(self._handle)
            os.close(self._handle)
            self._handle = -1
        self._lock.release()

    def __enter__(self) -> "ActivationWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _write_all(handle: int, data: bytes, offset: int) -> None:
    """`pwrite` until everything is written: on a full disk the first call may be short, and the second raises."""
    view = memoryview(data)
    while view:
        written = os.pwrite(handle, view, offset)
        view, offset = view[written:], offset + written
