"""The frames that pass through the pipes between the two processes: a line of JSON with bytes behind it.

Both sides read this file; it needs only the standard library.
"""

import json
import os
import struct
from collections.abc import Iterator
from typing import Any

Frame = tuple[dict[str, Any], bytes]
"""What a frame says, and the bytes of its arrays."""

_SIZES = struct.Struct("<4sII")
_MAGIC = b"pfr1"
LARGEST = 1 << 30
"""Bytes of one part of a frame that are believed. The vectors of a query take some megabytes at most."""


def send(descriptor: int, header: dict[str, Any], payload: bytes = b"") -> None:
    """Write one frame; blocks while the pipe is full.

    Raises:
        BrokenPipeError: nobody reads any longer.
    """
    text = json.dumps(header).encode()
    view = memoryview(_SIZES.pack(_MAGIC, len(text), len(payload)) + text + payload)
    while view:
        view = view[os.write(descriptor, view) :]


class FrameReader:
    """Puts the bytes that come out of a pipe together to frames."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take what was read, and yield the frames that are complete.

        Raises:
            ValueError: the bytes are no frames.
        """
        self._bytes += data
        while len(self._bytes) >= _SIZES.size:
            magic, text, payload = _SIZES.unpack_from(self._bytes)
            if magic != _MAGIC or text > LARGEST or payload > LARGEST:
                raise ValueError(f"bytes that are no frame ({bytes(self._bytes[:16])!r})")
            middle = _SIZES.size + text
            end = middle + payload
            if len(self._bytes) < end:
                return
            header = json.loads(self._bytes[_SIZES.size : middle])
            if not isinstance(header, dict):
                raise ValueError(f"a frame that says {header!r:.40}")
            body = bytes(self._bytes[middle:end])
            del self._bytes[:end]
            yield header, body
