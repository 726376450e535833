"""Reads back the `.wandb` file of a run, which wandb itself no longer does in Python.

The file is a LevelDB log: blocks of 32 KiB with frames of (checksum, length, kind, data); a frame that does not fit is
cut into a first, middle and last one. Each whole frame is a protobuf `Record`.
"""

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wandb.proto import wandb_internal_pb2

BLOCK, HEADER = 32768, 7
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


@dataclass
class RunLog:
    """What a run said, in order."""

    id: str = ""
    project: str = ""
    group: str = ""
    name: str = ""
    tags: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    exit_code: int | None = None
    """None if the file ends before the run does."""
    preempting: bool = False
    artifacts: dict[str, bool] = field(default_factory=dict)
    """Type of each artifact, and whether the run used it (True) or made it."""

    @property
    def epochs(self) -> list[dict[str, Any]]:
        """The rows of the history that are epochs, without what W&B adds to each."""
        rows = [row for row in self.history if "epoch" in row]
        return [{key: value for key, value in row.items() if not key.startswith("_")} for row in rows]


def read_run_log(path: Path) -> RunLog:
    """Read a file, also one that ends in the middle of a record because its writer was killed.

    Raises:
        ValueError: it is no such file, or a checksum is wrong.
    """
    log = RunLog()
    for data in _frames(path.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run = record.run
            log.id, log.project, log.group, log.name = (
                run.run_id,
                run.project,
                run.run_group,
                run.display_name,
            )
            log.tags = tuple(run.tags)
            _update(log.config, run.config.update)
        elif kind == "config":
            _update(log.config, record.config.update)
        elif kind == "history":
            row: dict[str, Any] = {}
            _update(row, record.history.item)
            log.history.append(row)
        elif kind == "summary":
            _update(log.summary, record.summary.update)
        elif kind == "artifact":
            log.artifacts[record.artifact.type] = record.artifact.use_after_commit
        elif kind == "preempting":
            log.preempting = True
        elif kind == "exit":
            log.exit_code = record.exit.exit_code
    return log


def _update(values: dict[str, Any], items: Any) -> None:
    for item in items:
        place, keys = values, list(item.nested_key) or [item.key]
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = json.loads(item.value_json)


def _frames(content: bytes) -> Iterator[bytes]:
    if len(content) < HEADER or struct.unpack("<4sH", content[:6]) != (b":W&B", 0xBEE1):
        raise ValueError("expected a .wandb file, found another")
    place, part = HEADER, b""
    while place + HEADER <= len(content):
        left = BLOCK - place % BLOCK
        checksum, length, kind = struct.unpack("<IHB", content[place : place + HEADER])
        if left < HEADER or (kind, length) == (0, 0):  # the rest of the block is empty
            place += left
            continue
        data = content[place + HEADER : place + HEADER + length]
        if len(data) < length:  # the writer was killed here
            return
        if zlib.crc32(data, zlib.crc32(bytes([kind]))) != checksum:
            raise ValueError(f"byte {place}: expected the checksum {checksum:#x}, found another")
        place += HEADER + length
        part = data if kind in (FULL, FIRST) else part + data
        if kind in (FULL, LAST):
            yield part
