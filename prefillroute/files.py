"""Atomic writes: a file holds either its old or its new content, never a part of it."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; the file written there takes the name `path` when the block ends.

    The temporary name is unique to this call, so if two jobs write the same file, on one machine or on two, the result
    is one of the two complete files. If the block fails, `path` is left unchanged and the temporary file is removed.

    Args:
        path: the final name. Its folder is created if missing.

    Raises:
        OSError: the folder cannot be created or the file cannot be renamed.

    Example:
        >>> import tempfile
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = Path(folder.name) / "numbers.txt"
        >>> with replacing(path) as partial:
        ...     size = partial.write_text("1 2 3")
        >>> path.read_text(), [found.name for found in path.parent.iterdir()]
        ('1 2 3', ['numbers.txt'])
        >>> folder.cleanup()
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a whole text file as UTF-8, see `replacing`.

    Raises:
        OSError: as for `replacing`, or the disk is full.
    """
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
