"""Files that are either the old one or the new one, never half of one."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; the file written there takes the name `path` when the block ends.

    The temporary name is this call's own, so that two jobs that write the same file, on one machine or on two, leave
    one of both whole. If the block fails, `path` keeps what it had and the temporary file is removed.

    Args:
        path: the final name. Its folder is made when it is missing.

    Raises:
        OSError: the folder cannot be made or the file cannot take its name.

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
