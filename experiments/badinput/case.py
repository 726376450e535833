"""One case: what is broken, the command a person would type, and what it must answer."""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from experiments.badinput import confine
from experiments.badinput.workspace import Workspace, sums

TIMEOUT_S = 300


def nothing(workspace: Workspace) -> None:
    """The workspace stays as it is: only the arguments are bad."""


@dataclass(frozen=True)
class Case:
    """`prepare` breaks the workspace's copy, then `command` runs; `wanted` is looked for in the message."""

    name: str
    command: Callable[[Workspace], list[str]]
    wanted: str
    """Regular expression."""
    prepare: Callable[[Workspace], None] = nothing
    status: int = 1
    limit_bytes: int | None = None
    """No file may grow beyond it, as on a full disk."""
    read_only: tuple[str, ...] = ()
    """Folders of the workspace that the command cannot write to."""
    reads: str | None = None
    """A file that the command leaves and that says what is odd, where the screen need not."""
    may_change: tuple[str, ...] = ()
    """Files that a command which works writes anew; all others stay as they were."""
    also: tuple[str, ...] = ()
    """Further regular expressions, each to be found in a line."""
    never: str | None = None
    """Regular expression that no line may match."""


@dataclass(frozen=True)
class Verdict:
    """What a case gave. `faults` is empty when all was as it must be."""

    case: Case
    status: int
    message: str
    faults: tuple[str, ...]


def run(case: Case, workspace: Workspace) -> Verdict:
    """Break the workspace, run the command in a process of its own, and judge what it said and left."""
    try:
        case.prepare(workspace)
    except (AssertionError, OSError, RuntimeError) as error:
        return Verdict(case, -1, str(error), ("could not be prepared",))
    before = sums(workspace.root)
    folders = [workspace.root / name for name in case.read_only]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o555)
    try:
        done = subprocess.run(
            [*_confinement(case), *case.command(workspace)],
            cwd=workspace.root,
            env=workspace.environment(),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
        )
        status, output, errors = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired:
        status, output, errors = -1, "", f"error: not done after {TIMEOUT_S} s"
    for folder in folders:
        folder.chmod(0o755)
    return _judge(case, status, output, errors, before, workspace.root)


def _confinement(case: Case) -> list[str]:
    """The launcher that makes the machine worse, where the case asks for it."""
    limits = ["--file-bytes", str(case.limit_bytes)] if case.limit_bytes is not None else []
    if case.read_only:
        limits.append("--read-only")
    return [sys.executable, confine.__file__, *limits, "--"] if limits else []


def _judge(case: Case, status: int, output: str, errors: str, before: dict[str, str], root: Path) -> Verdict:
    left = root / case.reads if case.reads else None
    text = f"{output}\n{errors}\n{left.read_text('utf-8') if left and left.exists() else ''}"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    error_lines = [line for line in lines if line.startswith("error:")]
    faults = []
    if status != case.status:
        faults.append(f"exit status {status}, wanted {case.status}")
    if "Traceback" in text:
        faults.append("a traceback")
    if len(error_lines) != (case.status != 0):
        faults.append(f"{len(error_lines)} error lines")
    found = [line for line in (error_lines or lines) if re.search(case.wanted, line)]
    if not found:
        faults.append(f"no line with /{case.wanted}/")
    for pattern in case.also:
        if not any(re.search(pattern, line) for line in lines):
            faults.append(f"no line with /{pattern}/")
    if case.never and any(re.search(case.never, line) for line in lines):
        faults.append(f"a line with /{case.never}/")
    after = sums(root)
    if half := [name for name in after if name not in before and _is_half(name, case.status)]:
        faults.append(f"left behind: {', '.join(half[:3])}")
    fixed = {name: digest for name, digest in before.items() if name not in case.may_change}
    if changed := [name for name, digest in fixed.items() if after.get(name) != digest]:
        faults.append(f"earlier files changed: {', '.join(changed[:3])}")
    shown = (found or error_lines or lines[-1:] or ["(nothing)"])[0]
    return Verdict(case, status, shown, tuple(faults))


def _is_half(name: str, status: int) -> bool:
    """Whether a new file is a rest: one under a temporary name, or an outcome table of a command that failed."""
    return ".partial" in name or (status != 0 and name.startswith("data/"))
