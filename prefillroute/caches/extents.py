"""Plain, verified reads of one layer's extent in one shard, without HDF5 between the disk and the array."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from prefillroute.caches.checksums import row_checksums
from prefillroute.caches.keys import command_for
from prefillroute.caches.shard import ShardExtents
from prefillroute.errors import UserError

# Small enough for the block to stay in the processor's cache during checksum and scatter.
BLOCK_BYTES = 1 << 20
PARALLEL_BYTES = 16 << 20


def read_rows(
    folder: Path,
    extents: ShardExtents,
    layer: int,
    pooling: str,
    rows: np.ndarray,
    out: np.ndarray,
    positions: np.ndarray,
) -> None:
    """Fill `out[positions]` with a shard's rows of one layer, reading forward through the extent once.

    Args:
        folder: folder of the shard.
        extents: the shard's offsets.
        layer: id of a layer that the shard holds.
        pooling: a pooling that the shard holds.
        rows: (n,) shard rows.
        out: (N, hidden) float32.
        positions: (n,) rows of `out`.

    Raises:
        UserError: the shard is missing or truncated, or a checksum differs.
    """
    path = folder / extents.name
    command = command_for(folder)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); recreate it with {command}") from error
    try:
        size = os.fstat(handle).st_size
        if size != extents.size:
            raise UserError(
                f"{path}: truncated: expected {extents.size} bytes, found {size}; "
                f"delete this file and run {command}"
            )
        position = extents.layer_ids.index(layer)
        sums_at = extents.checksums[pooling] + position * extents.rows * 8
        sums = np.frombuffer(os.pread(handle, extents.rows * 8, sums_at), dtype="<u8")
        order = np.argsort(rows, kind="stable")
        rows, positions = rows[order], positions[order]
        # Blocks never cross a chunk, because rows are contiguous in the file only within a chunk.
        block_rows = max(1, BLOCK_BYTES // extents.row_bytes)
        block = (rows // extents.chunk_rows) * (1 + extents.chunk_rows // block_rows)
        block += (rows % extents.chunk_rows) // block_rows
        blocks = np.split(np.arange(len(rows)), np.flatnonzero(np.diff(block)) + 1)
        starts = extents.activations[pooling][position]

        def fill(first_block: int, last_block: int) -> None:
            buffer = np.empty((block_rows, extents.hidden_size), dtype=extents.dtype)
            for part in blocks[first_block:last_block]:
                first, last = int(rows[part[0]]), int(rows[part[-1]])
                at = (
                    int(starts[first // extents.chunk_rows])
                    + (first % extents.chunk_rows) * extents.row_bytes
                )
                values = buffer[: last - first + 1]
                _read_into(handle, values, at)
                chosen = rows[part] - first
                wrong = np.flatnonzero(row_checksums(values)[chosen] != sums[rows[part]])
                if len(wrong):
                    raise UserError(
                        f"{path}: row {rows[part[wrong[0]]]} of layer {layer}, pooling {pooling} is damaged (its "
                        f"checksum has changed since it was written); repair it with {command} share.verify=true"
                    )
                every = len(chosen) == len(values) and (np.diff(chosen) == 1).all()
                out[positions[part]] = values if every else values[chosen]

        if len(rows) * extents.row_bytes < PARALLEL_BYTES:
            fill(0, len(blocks))
        else:  # two streams, so that one copies while the other waits
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(fill, (0, len(blocks) // 2), (len(blocks) // 2, len(blocks))))
    finally:
        os.close(handle)


def _read_into(handle: int, values: np.ndarray, offset: int) -> None:
    view = values.view(np.uint8).reshape(-1).data
    while view:
        count = os.preadv(handle, [view], offset)
        assert count > 0, "the size was compared with the index earlier"
        view, offset = view[count:], offset + count
