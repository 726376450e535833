"""Messages between the outside and process 1: the length in eight hexadecimal digits, then JSON."""

import json
import os
from typing import Any


def receive(descriptor: int) -> dict[str, Any] | None:
    """Read one message; None if the other side is gone."""
    header = _read(descriptor, 8)
    body = _read(descriptor, int(header, 16)) if len(header) == 8 else b""
    return json.loads(body) if body else None


def send(descriptor: int, message: dict[str, Any]) -> None:
    """Write one message.

    Raises:
        BrokenPipeError: the other side is gone.
    """
    body = json.dumps(message).encode()
    view = memoryview(f"{len(body):08x}".encode() + body)
    while view:
        view = view[os.write(descriptor, view) :]


def _read(descriptor: int, size: int) -> bytes:
    """Read exactly ``size`` bytes; return none at all if the stream ends early."""
    data = bytearray()
    while len(data) < size:
        chunk = os.read(descriptor, min(size - len(data), 1 << 20))
        if not chunk:
            return b""
        data += chunk
    return bytes(data)
