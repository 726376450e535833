"""The copy of the tree in which faults are planted, and the tests that are run on it."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from experiments.mutants.mutations import Mutant

USED_BY = {
    "routing": ("routing", "router", "reports"),
    "metrics": ("metrics", "routing"),
    "calibration": ("calibration", "training"),
    "outcomes": ("outcomes", "training"),
    "router": ("router",),
    "layers": ("layers", "training"),
    "signals": ("signals", "training"),
}
"""Rooms that mutants are made of, and the folders of tests that may notice them, the room's own first."""
EVERYWHERE = ""
"""In a line map, the context of whatever runs outside of tests: imports."""
COPIED = (
    "prefillroute",
    "tests",
    "experiments",
    "conf",
    "requirements",
    "pyproject.toml",
    "train.py",
    "README.md",
)


@dataclass(frozen=True)
class Tree:
    """A copy of a checkout; `root` holds it, its line maps and results. Nothing outside `root` is written."""

    root: Path

    @classmethod
    def copy(cls, checkout: Path, work: Path) -> "Tree":
        """Copy a checkout below `work`, under a name made of its content; an unchanged one is found again."""
        files = sorted(
            path
            for name in COPIED
            for path in ([checkout / name] if (checkout / name).is_file() else (checkout / name).rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        )
        digest = hashlib.sha256()
        for path in files:
            digest.update(str(path.relative_to(checkout)).encode() + b"\0" + path.read_bytes() + b"\0")
        tree = cls(work / digest.hexdigest()[:12])
        if not tree.root.exists():
            partial = work / f".{tree.root.name}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            for path in files:
                copied = partial / "tree" / path.relative_to(checkout)
                copied.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, copied)
            partial.rename(tree.root)
        return tree

    @cached_property
    def files(self) -> Path:
        """The copied files."""
        return (self.root / "tree").resolve()

    def sources(self, room: str) -> list[str]:
        """Python files of a room, from the root of the tree."""
        found = (self.files / "prefillroute" / room).rglob("*.py")
        return sorted(str(path.relative_to(self.files)) for path in found if path.stat().st_size)

    def line_map(self, rooms: Sequence[str]) -> dict[str, Any]:
        """Which tests execute which line of the package, from the file where it was written, else by running them.

        One run serves all rooms that are asked for, since most of them share `tests/training`.

        Raises:
            SystemExit: a test fails without any fault planted.
        """
        names = sorted({name for room in rooms for name in USED_BY[room]})
        path = self.root / f"lines_{'_'.join(names)}.json"
        if not path.exists():
            folders = [f"tests/{name}" for name in names if (self.files / "tests" / name).is_dir()]
            partial = path.with_suffix(".partial")
            done = self.pytest(
                ["-p", "experiments.mutants.line_map", *folders],
                timeout_s=None,
                MUTANTS_LINE_MAP=str(partial.resolve()),
            )
            failed = json.loads(partial.read_text())["failed"] if partial.exists() else ["none was collected"]
            if failed:
                raise SystemExit(f"{done[1][-3000:]}\ntests fail without a mutant: {', '.join(failed)}")
            partial.rename(path)
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    def tests_of(self, room: str, mutant: Mutant, line_map: dict[str, Any]) -> list[list[str]]:
        """Node ids of a room's tests that execute a mutant's line, folder by folder, in each the fastest first.

        Of a line that is run at import these are all tests: the map knows only the test that imported it first.
        """
        seconds: dict[str, float] = line_map["seconds"]
        contexts = set(line_map["lines"].get(mutant.path, {}).get(str(mutant.line), []))
        found = []
        for name in USED_BY[room]:
            chosen = [test for test in seconds if test.startswith(f"tests/{name}/")]
            if not mutant.at_import and EVERYWHERE not in contexts:
                chosen = [test for test in chosen if test in contexts or _folder(test) in contexts]
            if chosen:
                found.append(sorted(chosen, key=lambda test: (seconds[test], test)))
        return found

    def try_mutant(
        self, mutant: Mutant, tests: Sequence[Sequence[str]], timeout_s: float
    ) -> tuple[str, float]:
        """Plant a fault, run the tests until one fails, take the fault out again.

        The tests of one folder after those of another: most faults are noticed by the room's own, and collecting those
        that train costs more than running them.

        Returns:
            `killed`, `timeout` (which counts as killed) or `survived`, and the seconds it took.
        """
        path = self.files / mutant.path
        original, stat = path.read_bytes(), path.stat()
        start = time.monotonic()
        try:
            path.write_text(mutant.source, encoding="utf-8")
            status: int | None = 0
            for folder in tests:
                status, _ = self.pytest(["-x", "-p", "no:cacheprovider", *folder], timeout_s)
                if status != 0:
                    break
        finally:
            path.write_bytes(original)
            os.utime(
                path, ns=(stat.st_atime_ns, stat.st_mtime_ns)
            )  # so that its compiled form is still valid
        took = time.monotonic() - start
        if status is None:
            return "timeout", took
        return ("survived" if status == 0 else "killed"), took

    def pytest(self, arguments: list[str], timeout_s: float | None, **extra: str) -> tuple[int | None, str]:
        """Run pytest in the tree; the exit status (None where it ran out of time) and what it printed."""
        path = os.pathsep.join([str(self.files), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = (
            os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"} | extra
        )
        if timeout_s is not None:
            environment["PYTHONDONTWRITEBYTECODE"] = "1"  # nothing compiled from a mutant may stay
        command = [sys.executable, "-m", "pytest", "-q", "--tb=line", *arguments]
        with subprocess.Popen(
            command, cwd=self.files, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        ) as process:  # fmt: skip
            try:
                output, _ = process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)  # the session that was started above, with what its tests started
                return None, process.communicate()[0]
        return process.returncode, output


def _folder(test: str) -> str:
    return test.split("::")[0].rpartition("/")[0]
