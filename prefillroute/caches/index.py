"""The index file `<encoder>-<format>.h5`: one HDF5 view over all shards, and where every vector lies.

    (user block, 512 bytes)       what this is, its format version, length and SHA-256
    keys                          (rows, 32) uint8
    activations/<pooling>         (rows, layers, hidden) virtual over the shards; NaN where nothing is stored
    queries/<column>              query id, SHA-256 of the prompt, key, token counts, truncated
    shards/<nr>/...               file name, its rows and the index rows they are, byte offsets
    attributes                    CacheIdentity, layer ids, poolings, counts, library versions

It holds nothing that cannot be recreated from the shards and the prompts. It is small, and each time it is rewritten
as a whole and renamed into place.
"""

import hashlib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from prefillroute.caches.identity import FORMAT_VERSION, CacheIdentity
from prefillroute.caches.keys import command_for, shards_folder, to_bytes, to_hex
from prefillroute.caches.queries import QueryTable
from prefillroute.caches.shard import Shard, ShardExtents, list_shards
from prefillroute.errors import UserError
from prefillroute.files import replacing
from prefillroute.locks.file_lock import FileLock

USER_BLOCK = 512
MAGIC = "prefillroute activation cache"


@dataclass(frozen=True)
class IndexedShard:
    """A shard as the index knows it."""

    extents: ShardExtents
    shard_row: np.ndarray
    """(index rows,) int64: the shard's row for each index row, or -1 if the shard does not hold it."""


@dataclass(frozen=True)
class CacheIndex:
    """What the index file says."""

    identity: CacheIdentity
    keys: tuple[str, ...]
    layer_ids: tuple[int, ...]
    poolings: tuple[str, ...]
    queries: QueryTable
    shards: tuple[IndexedShard, ...]


def build_index(path: Path, identity: CacheIdentity, queries: QueryTable) -> CacheIndex:
    """Join all shards of a cache, whoever wrote them, and add `queries` to the existing table.

    Args:
        path: index file; `<stem>.shards/` beside it holds the shards.
        identity: what the shards must have been made with.
        queries: queries of this run.

    Raises:
        UserError: a shard is damaged or of another identity, or the index cannot be written.
    """
    with FileLock(shards_folder(path) / "index.lock", str(path), wait=True):
        try:
            queries = read_index(path).queries.merge(queries)
        except UserError:
            queries = QueryTable.empty().merge(queries)  # missing or damaged: rebuilt from the shards
        shards = list_shards(shards_folder(path), identity)
        row_of: dict[str, int] = {}
        for shard in shards:
            for row in np.flatnonzero(shard.done):
                row_of.setdefault(shard.plan.keys[row], len(row_of))
        layer_ids = tuple(sorted({k for shard in shards for k in shard.plan.layer_ids}))
        poolings = tuple(sorted({p for shard in shards for p in shard.plan.poolings}))
        indexed = []
        for shard in shards:
            shard_row = np.full(len(row_of), -1, dtype=np.int64)
            for row in np.flatnonzero(shard.done):
                shard_row[row_of[shard.plan.keys[row]]] = row
            indexed.append(IndexedShard(shard.extents, shard_row))
        index = CacheIndex(identity, tuple(row_of), layer_ids, poolings, queries, tuple(indexed))
        _write(path, index, sorted({shard.versions for shard in shards}))
    return index


def _write(path: Path, index: CacheIndex, versions: Sequence[str]) -> None:
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver=("v110", "v110"), userblock_size=USER_BLOCK) as file:
        for key, value in index.identity.to_attributes().items():
            file.attrs[key] = value
        file.attrs["layer_ids"] = np.asarray(index.layer_ids, dtype="<i4")
        file.attrs["poolings"] = ",".join(index.poolings)
        file.attrs["versions"] = " | ".join(versions)
        file.attrs["num_queries"] = len(index.queries)
        file.attrs["num_truncated"] = int(index.queries.truncated.sum())
        file.attrs["num_sharing_a_key_through_truncation"] = index.queries.shared_through_truncation()
        file.create_dataset("keys", data=to_bytes(index.keys))
        index.queries.write(file.create_group("queries"))
        for number, shard in enumerate(index.shards):
            _write_shard(file.create_group(f"shards/{number:06d}"), shard)
        for pooling in index.poolings:
            _write_virtual(file, path, index, pooling)
    content = memory.getvalue()[USER_BLOCK:]
    digest = hashlib.sha256(content).hexdigest()
    header = f"{MAGIC}\nversion={FORMAT_VERSION}\nbytes={len(content)}\nsha256={digest}\n".encode()
    try:
        with replacing(path) as partial, partial.open("wb") as raw:
            raw.write(header.ljust(USER_BLOCK, b"\0") + content)
            raw.flush()
            os.fsync(raw.fileno())
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written ({error.strerror}); run the same command again"
        ) from error


def _write_shard(group: h5py.Group, shard: IndexedShard) -> None:
    extents = shard.extents
    for key in ("name", "size", "rows", "hidden_size", "chunk_rows", "dtype"):
        group.attrs[key] = getattr(extents, key)
    group.attrs["layer_ids"] = np.asarray(extents.layer_ids, dtype="<i4")
    group.create_dataset("shard_row", data=shard.shard_row.astype("<i8"))
    for pooling, offsets in extents.activations.items():
        group.create_dataset(f"activations/{pooling}", data=offsets.astype("<i8"))
        group[f"activations/{pooling}"].attrs["checksums"] = extents.checksums[pooling]


def _write_virtual(file: h5py.File, path: Path, index: CacheIndex, pooling: str) -> None:
    """Write the (rows, layers, hidden) view of one pooling; a cell that two shards hold comes from the first."""
    rows, hidden = len(index.keys), index.identity.hidden_size
    dtype = np.dtype(index.identity.storage_dtype).newbyteorder("<")
    layout = h5py.VirtualLayout((rows, len(index.layer_ids), hidden), dtype=dtype)
    free = np.ones((rows, len(index.layer_ids)), dtype=bool)
    for shard in index.shards:
        extents = shard.extents
        if pooling not in extents.activations:
            continue
        name = f"{shards_folder(path).name}/{extents.name}"
        shape = (extents.rows, len(extents.layer_ids), hidden)
        source = h5py.VirtualSource(name, f"activations/{pooling}", shape, dtype=dtype)
        positions = np.asarray([index.layer_ids.index(k) for k in extents.layer_ids])
        wanted = free[:, positions] & (shard.shard_row >= 0)[:, None]  # (rows, the shard's layers)
        same_as_left = (np.diff(positions) == 1) & (wanted[:, 1:] == wanted[:, :-1]).all(axis=0)
        for block in np.split(np.arange(len(positions)), np.flatnonzero(~same_as_left) + 1):
            to_layers = slice(int(positions[block[0]]), int(positions[block[-1]]) + 1)
            from_layers = slice(int(block[0]), int(block[-1]) + 1)
            for to_rows, from_rows in _runs(wanted[:, block[0]], shard.shard_row):
                layout[to_rows, to_layers, :] = source[from_rows, from_layers, :]
        free[:, positions] &= ~wanted
    file.create_virtual_dataset(f"activations/{pooling}", layout, fillvalue=np.nan)


def _runs(wanted: np.ndarray, shard_row: np.ndarray) -> list[tuple[slice, slice]]:
    """Runs of adjacent index rows that are adjacent in the shard too, as pairs of slices."""
    to = np.flatnonzero(wanted)
    if not len(to):
        return []
    source = shard_row[to]
    cuts = np.flatnonzero((np.diff(to) != 1) | (np.diff(source) != 1)) + 1
    pairs = zip(np.split(to, cuts), np.split(source, cuts), strict=True)
    return [(slice(int(a[0]), int(a[-1]) + 1), slice(int(b[0]), int(b[-1]) + 1)) for a, b in pairs]


def read_index(path: Path) -> CacheIndex:
    """Read and verify an index file.

    Raises:
        UserError: the file is missing, truncated, damaged, of another version, or not an index; the message names the
            command that repairs it.
    """
    mend = f"run {command_for(path)}, which rebuilds it from its shards"
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise UserError(
            f"{path}: expected an activation cache, found no such file; make it with {command_for(path)}"
        ) from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    header = raw[:USER_BLOCK].rstrip(b"\0").decode("ascii", "replace").splitlines()
    if not header or header[0] != MAGIC:
        raise UserError(
            f"{path}: expected an activation cache, found {len(raw)} bytes of something else; {mend}"
        )
    said = dict(line.split("=", 1) for line in header[1:] if "=" in line)
    if said.get("version") != str(FORMAT_VERSION):
        raise UserError(
            f"{path}: expected format version {FORMAT_VERSION}, found {said.get('version')}; {mend}"
        )
    content = raw[USER_BLOCK:]
    if str(len(content)) != said.get("bytes"):
        raise UserError(
            f"{path}: truncated: expected {said.get('bytes')} bytes, found {len(content)}; {mend}"
        )
    if hashlib.sha256(content).hexdigest() != said.get("sha256"):
        raise UserError(f"{path}: damaged (its SHA-256 has changed since it was written); {mend}")
    with h5py.File(io.BytesIO(raw), "r") as file:
        return CacheIndex(
            CacheIdentity.from_attributes(file.attrs, path),
            tuple(to_hex(file["keys"][:])),
            tuple(int(k) for k in file.attrs["layer_ids"]),
            tuple(str(file.attrs["poolings"]).split(",")),
            QueryTable.read(file["queries"]),
            tuple(_read_shard(group) for group in file.get("shards", {}).values()),
        )


def _read_shard(group: h5py.Group) -> IndexedShard:
    attributes = group.attrs
    extents = ShardExtents(
        name=str(attributes["name"]),
        size=int(attributes["size"]),
        rows=int(attributes["rows"]),
        hidden_size=int(attributes["hidden_size"]),
        chunk_rows=int(attributes["chunk_rows"]),
        dtype=str(attributes["dtype"]),
        layer_ids=tuple(int(k) for k in attributes["layer_ids"]),
        activations={pooling: data[:] for pooling, data in group["activations"].items()},
        checksums={pooling: int(data.attrs["checksums"]) for pooling, data in group["activations"].items()},
    )
    return IndexedShard(extents, group["shard_row"][:])


def unfinished(shards: Sequence[Shard]) -> int:
    """Number of rows that some shard plans and no shard has finished."""
    done = {key for shard in shards for key, ready in zip(shard.plan.keys, shard.done, strict=True) if ready}
    return len({key for shard in shards for key in shard.plan.keys} - done)
