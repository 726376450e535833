"""Ways to break a file, each a function of a workspace's copy."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from experiments.badinput.workspace import Workspace

Prepare = Callable[[Workspace], None]


def edited(file: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Prepare:
    """Rewrite a parquet file of the pool after `change`."""

    def prepare(workspace: Workspace) -> None:
        path = workspace.data / file
        change(pd.read_parquet(path)).to_parquet(path, index=False)

    return prepare


def cell(file: str, row: int, column: str, value: object) -> Prepare:
    """Set one value of a parquet file of the pool."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[column].tolist()
        values[row] = value
        return frame.assign(**{column: values})

    return edited(file, change)


def removed(*names: str) -> Prepare:
    """Delete files of the workspace, by glob patterns."""

    def prepare(workspace: Workspace) -> None:
        for name in names:
            for path in _files(workspace, name):
                path.unlink()

    return prepare


def cut(name: str, share: float = 0.6) -> Prepare:
    """Keep the first `share` of the files that match `name`."""

    def prepare(workspace: Workspace) -> None:
        for path in _files(workspace, name):
            raw = path.read_bytes()
            path.write_bytes(raw[: int(len(raw) * share)])

    return prepare


def flipped(name: str, position: float = 0.5) -> Prepare:
    """Flip one bit of every file that matches `name`, at `position` of its length."""

    def prepare(workspace: Workspace) -> None:
        for path in _files(workspace, name):
            raw = bytearray(path.read_bytes())
            raw[int(position * len(raw))] ^= 0x10
            path.write_bytes(bytes(raw))

    return prepare


def replaced(name: str, old: str, new: str) -> Prepare:
    """Replace text in a file, as a person with an editor would."""

    def prepare(workspace: Workspace) -> None:
        for path in _files(workspace, name):
            text = path.read_text("utf-8")
            assert old in text, f"{path} has no {old!r}"
            path.write_text(text.replace(old, new), "utf-8")

    return prepare


def written(name: str, content: bytes) -> Prepare:
    """Put a file into the workspace."""

    def prepare(workspace: Workspace) -> None:
        path = workspace.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    return prepare


def both(*steps: Prepare) -> Prepare:
    """Several steps, in order."""

    def prepare(workspace: Workspace) -> None:
        for step in steps:
            step(workspace)

    return prepare


def ran(command: Callable[[Workspace], list[str]]) -> Prepare:
    """Run a command that works, as a person did some time before."""

    def prepare(workspace: Workspace) -> None:
        done = subprocess.run(
            command(workspace),
            cwd=workspace.root,
            env=workspace.environment(),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command(workspace))}: {done.stdout}{done.stderr}"

    return prepare


def _files(workspace: Workspace, pattern: str) -> list[Path]:
    """Files that match, which must exist: a case that breaks nothing would prove nothing."""
    found = [path for path in sorted(workspace.root.glob(pattern)) if path.is_file()]
    assert found, f"no file {pattern} in {workspace.root}"
    return found
