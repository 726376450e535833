"""The shard file: an HDF5 file of fixed shape whose bytes are laid out before the first activation arrives.

    keys                    (rows, 32) uint8       SHA-256 of the token ids
    fed_tokens, batch       (rows,) int32          the plan: rows of one batch are neighbours
    activations/<pooling>   (rows, layers, hidden) in chunks of (rows, 1, hidden): a layer is one extent
    checksums/<pooling>     (layers, rows) uint64
    done                    (rows,) uint8          1 if the row's data is stored

All space is allocated when the file is created under a temporary name. From then on only raw data changes, at offsets
known in advance, and HDF5's own structures never do: a process killed at any point leaves a readable file.
"""

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from prefillroute.caches.identity import FORMAT_VERSION, CacheIdentity
from prefillroute.caches.keys import command_for, to_bytes, to_hex
from prefillroute.errors import UserError

CHUNK_BYTES = 256 << 20


@dataclass(frozen=True)
class ShardPlan:
    """What a shard will hold, in the order in which it is filled."""

    keys: tuple[str, ...]
    fed_tokens: np.ndarray
    """(rows,) int32."""
    batch: np.ndarray
    """(rows,) int32, not decreasing."""
    layer_ids: tuple[int, ...]
    poolings: tuple[str, ...]

    def digest(self) -> str:
        """SHA-256 over the whole plan; it is part of the shard's file name and is checked on reopening."""
        sha = hashlib.sha256(to_bytes(self.keys).tobytes())
        sha.update(self.fed_tokens.astype("<i4").tobytes() + self.batch.astype("<i4").tobytes())
        sha.update(repr((self.layer_ids, self.poolings)).encode())
        return sha.hexdigest()


@dataclass(frozen=True)
class ShardExtents:
    """Where a shard's raw data lies: enough to read and write it with plain file I/O."""

    name: str
    size: int
    """File size in bytes."""
    rows: int
    hidden_size: int
    chunk_rows: int
    dtype: str
    layer_ids: tuple[int, ...]
    activations: dict[str, np.ndarray]
    """pooling -> (layers, row chunks) int64 offsets in bytes."""
    checksums: dict[str, int]
    """pooling -> offset of (layers, rows) uint64."""

    @property
    def row_bytes(self) -> int:
        """Bytes of one vector."""
        return self.hidden_size * np.dtype(self.dtype).itemsize


@dataclass(frozen=True)
class Shard:
    """A shard as found on disk."""

    path: Path
    identity: CacheIdentity
    plan: ShardPlan
    extents: ShardExtents
    done_offset: int
    done: np.ndarray
    """(rows,) bool."""
    part: str
    versions: str


def create_shard(path: Path, plan: ShardPlan, identity: CacheIdentity, part: str, versions: str) -> None:
    """Create a complete, empty shard under a temporary name, with its space reserved, and move it into place.

    Raises:
        UserError: there is no room or no permission.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    rows, layers, hidden = len(plan.keys), len(plan.layer_ids), identity.hidden_size
    dtype = np.dtype(identity.storage_dtype).newbyteorder("<")
    chunk_rows = min(rows, max(1, CHUNK_BYTES // (hidden * dtype.itemsize)))
    try:
        for stale in path.parent.glob(
            f".{path.name}.*.tmp"
        ):  # left by a process killed right here; the lock is ours
            stale.unlink()
        with _ForgivingFile(temporary) as raw, h5py.File(raw, "w", libver="earliest") as file:
            for key, value in identity.to_attributes().items():
                file.attrs[key] = value
            file.attrs["format_version"] = FORMAT_VERSION
            file.attrs["kind"] = "prefillroute activation shard"
            file.attrs["layer_ids"] = np.asarray(plan.layer_ids, dtype="<i4")
            file.attrs["poolings"] = ",".join(plan.poolings)
            file.attrs["plan_sha256"] = plan.digest()
            file.attrs["part"] = part
            file.attrs["versions"] = versions
            file.create_dataset("keys", data=to_bytes(plan.keys))
            file.create_dataset("fed_tokens", data=plan.fed_tokens.astype("<i4"))
            file.create_dataset("batch", data=plan.batch.astype("<i4"))
            for pooling in plan.poolings:
                chunks = (chunk_rows, 1, hidden)
                _allocate(file, f"activations/{pooling}", (rows, layers, hidden), dtype, chunks)
                _allocate(file, f"checksums/{pooling}", (layers, rows), np.dtype("<u8"))
            _allocate(file, "done", (rows,), np.dtype("u1"))
        if raw.failure is not None:
            raise raw.failure
        handle = os.open(temporary, os.O_RDWR)
        try:
            # Fill the holes with real zeros, so that a full disk is detected here and not in mid-run.
            os.posix_fallocate(handle, 0, os.fstat(handle).st_size)
            os.fsync(handle)
        finally:
            os.close(handle)
        temporary.rename(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        need = rows * layers * hidden * dtype.itemsize * len(plan.poolings) / 1e6
        reason = error.strerror or str(error).splitlines()[0]
        raise UserError(
            f"{path.parent}: cannot hold a shard of {need:.1f} MB ({reason}); "
            "nothing was lost: make room and run the same command again"
        ) from error


class _ForgivingFile(io.FileIO):
    """A file that remembers its first error instead of raising it: HDF5 crashes when it cannot write at closing."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "w+")
        self.failure: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write all of `data`, or remember why that failed."""
        try:
            view = memoryview(data).cast("B")
            while view and self.failure is None:
                view = view[super().write(view) :]
        except OSError as error:
            self.failure = self.failure or error
        return len(memoryview(data).cast("B"))

    def truncate(self, size: int | None = None, /) -> int:
        """Set the size, or remember why that failed."""
        try:
            return super().truncate(size)
        except OSError as error:
            self.failure = self.failure or error
            return size or 0


def _allocate(
    file: h5py.File,
    name: str,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    chunks: tuple[int, ...] | None = None,
) -> None:
    """Create a dataset whose space is allocated now but not filled (high-level h5py cannot do that)."""
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    if chunks is not None:
        creation.set_chunk(chunks)
    creation.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    creation.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    creation.set_obj_track_times(False)
    links = h5py.h5p.create(h5py.h5p.LINK_CREATE)
    links.set_create_intermediate_group(True)
    space = h5py.h5s.create_simple(shape)
    h5py.h5d.create(file.id, name.encode(), h5py.h5t.py_create(dtype), space, creation, lcpl=links)


def open_shard(path: Path) -> Shard:
    """Read a shard's plan, state and extents, but no activations. This works while another process is writing.

    Raises:
        UserError: the file is truncated, not a shard, of another format version, or damaged; the message says what to
            do.
    """
    try:
        # HDF5 takes no locks on a Python file; its locks would clash with a reader's in the same process.
        with path.open("rb") as raw, h5py.File(raw, "r") as file:
            version = int(file.attrs.get("format_version", 0))
            if version != FORMAT_VERSION:
                raise UserError(
                    f"{path}: expected format version {FORMAT_VERSION}, found {version}; {_way_out(path)}"
                )
            identity = CacheIdentity.from_attributes(file.attrs, path)
            plan = ShardPlan(
                keys=tuple(to_hex(file["keys"][:])),
                fed_tokens=file["fed_tokens"][:],
                batch=file["batch"][:],
                layer_ids=tuple(int(k) for k in file.attrs["layer_ids"]),
                poolings=tuple(str(file.attrs["poolings"]).split(",")),
            )
            if plan.digest() != file.attrs["plan_sha256"]:
                raise UserError(f"{path}: its table of rows is damaged (SHA-256 differs); {_way_out(path)}")
            extents = _extents(path, file, plan, identity)
            done = file["done"][:] == 1
            done_offset = file["done"].id.get_offset()
            part, versions = str(file.attrs["part"]), str(file.attrs["versions"])
    except (OSError, KeyError, RuntimeError, ValueError, TypeError, OverflowError) as error:
        if isinstance(error, UserError):
            raise
        reason = str(error).splitlines()[0]
        raise UserError(f"{path}: cannot be read as a shard ({reason}); {_way_out(path)}") from error
    return Shard(path, identity, plan, extents, done_offset, done, part, versions)


def _extents(path: Path, file: h5py.File, plan: ShardPlan, identity: CacheIdentity) -> ShardExtents:
    rows, layers, hidden = len(plan.keys), len(plan.layer_ids), identity.hidden_size
    activations: dict[str, np.ndarray] = {}
    checksums: dict[str, int] = {}
    chunk_rows, dtype = rows, "<f4"
    for pooling in plan.poolings:
        data, sums = file[f"activations/{pooling}"], file[f"checksums/{pooling}"]
        if data.shape != (rows, layers, hidden) or sums.shape != (layers, rows):
            wanted = (rows, layers, hidden)
            raise UserError(
                f"{path}: activations/{pooling}: expected shape {wanted}, found {data.shape}; {_way_out(path)}"
            )
        chunk_rows, dtype = data.chunks[0], data.dtype.str
        starts = range(0, rows, chunk_rows)
        offsets = [
            [data.id.get_chunk_info_by_coord((row, layer, 0)).byte_offset for row in starts]
            for layer in range(layers)
        ]
        activations[pooling] = np.asarray(offsets, dtype=np.int64)
        checksums[pooling] = sums.id.get_offset()
    size = path.stat().st_size
    return ShardExtents(
        path.name, size, rows, hidden, chunk_rows, dtype, plan.layer_ids, activations, checksums
    )


def _way_out(path: Path) -> str:
    return f"delete this file and run {command_for(path.parent)}, which recreates its rows"


def list_shards(folder: Path, identity: CacheIdentity) -> list[Shard]:
    """All shards of a cache, in order of file name.

    Raises:
        UserError: one cannot be read, or was made with another identity.
    """
    shards = [open_shard(path) for path in sorted(folder.glob("*.h5"))]
    for shard in shards:
        shard.identity.check(identity, shard.path)
    return shards


def shard_name(plan: ShardPlan, num_shards: int, shard_index: int) -> str:
    """File name from the part, the number of parts and the plan, so that the same work gets the same name."""
    return f"part-{shard_index:04d}-of-{num_shards:04d}-{plan.digest()[:12]}.h5"
