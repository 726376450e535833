"""Files that are replaced as a whole."""

import threading
from pathlib import Path

import pytest

from prefillroute.files import replacing, write_text


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "a.txt"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "half" * 9999 + "\ud83d")
    with pytest.raises(FileNotFoundError), replacing(path):
        pass  # nothing was written
    assert [(found.name, found.read_text()) for found in path.parent.iterdir()] == [("a.txt", "old")]


def test_two_writers_leave_one_whole_file(tmp_path: Path) -> None:
    path, both = tmp_path / "a.txt", threading.Barrier(2)

    def write(text: str) -> None:
        with replacing(path) as partial:
            partial.write_text(text)
            both.wait(timeout=30)  # each has written before either is done

    writers = [threading.Thread(target=write, args=(letter * 9999,)) for letter in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert path.read_text() in ("a" * 9999, "b" * 9999)
    assert list(tmp_path.iterdir()) == [path]
