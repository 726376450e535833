"""One environment: what is set there, who runs it, from where, and what must work in it."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from experiments.badinput import toy
from experiments.badinput.workspace import REPOSITORY, Workspace

QUICK = ("tests/modules/test_fit.py", "tests/calibration/test_ranks.py", "tests/caches", "tests/reports")
"""Tests that meet what an environment changes: Lightning, files and locks, text and figures."""
TIMEOUT_S = 3600


class NotRun(Exception):
    """This machine cannot have the environment; the message says why."""


@dataclass(frozen=True)
class Place:
    """Where the commands of a case run. `home` is a folder of its own; what is in it goes with the case."""

    home: Path
    root: Path
    """The user's folder: ``data/tiny`` and ``encoder`` lie in it."""
    checkout: Path = REPOSITORY
    """Holds ``tests`` and ``train.py``."""
    python: Path = Path(sys.executable)
    prefix: tuple[str, ...] = ()
    """Words before every command: who runs it, and with which rights."""
    variables: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """As in the shell, without what the shell happens to have set, with the case's variables."""
        kept = {name: value for name, value in os.environ.items() if name in _KEPT}
        home = {"HOME": str(self.home / "home"), "PYTHONPATH": str(self.checkout)}
        return kept | home | self.variables

    def run(self, *command: str) -> str:
        """Run a command in the user's folder; "" or what is wrong with how it ended or what it printed."""
        done = subprocess.run(
            [*self.prefix, *command],
            cwd=self.root,
            env=self.environment(),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
        )
        lines = [line for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.strip()]
        if done.returncode:
            told = [line for line in lines if line.startswith(("FAILED", "E  ", "error:"))] or lines[-1:]
            return f"status {done.returncode} of {' '.join(command)[:80]}: {' | '.join(told[:4])}"
        # Whoever asks Python for all warnings gets those of other people's libraries.
        warned = [line for line in lines if any(sign in line for sign in _WARNINGS)]
        return f"printed {warned[0]}" if warned and "PYTHONWARNINGS" not in self.variables else ""


@dataclass(frozen=True)
class Case:
    """`prepare` turns a plain place into the environment; `check` does the work there and returns what is wrong."""

    name: str
    prepare: Callable[[Place], Place]
    check: Callable[[Place, tuple[str, ...]], str]
    in_ci: bool = False
    """One of the few that CI runs: each costs under a minute of processor time."""


def lay_out(home: Path) -> Place:
    """A home and, in it, a user's folder with the toy pool and the toy encoder of `experiments.badinput`."""
    place = Place(home, home / "work")
    workspace = Workspace(place.root)
    workspace.data.mkdir(parents=True)
    (home / "home").mkdir()
    queries = toy.queries(160)
    queries.to_parquet(workspace.data / "queries.parquet", index=False)
    toy.outcomes(queries).to_parquet(workspace.data / "outcomes.parquet", index=False)
    toy.write_encoder(workspace.encoder)
    return place


def train_and_route(place: Place) -> str:
    """What `make quickstart` does, on the toy pool: extract, train with report and bundle, route."""
    workspace = Workspace(place.root)
    for words in (
        workspace.extract(),
        workspace.train("threads=null", "evaluation.num_resamples=20", run="first"),
        workspace.route("add 2 and 3"),
    ):
        # The workspace's commands name this interpreter and this checkout.
        told = [
            word.replace(str(REPOSITORY / "train.py"), str(place.checkout / "train.py")) for word in words[1:]
        ]
        if fault := place.run(str(place.python), *told):
            return fault
    return "" if (place.root / "runs/first/report.html").is_file() else "no report.html"


def suite(place: Place, tests: tuple[str, ...]) -> str:
    """Run tests of the place's checkout."""
    words = ("-m", "pytest", "--rootdir", str(place.checkout), "-c", str(place.checkout / "pyproject.toml"))
    quiet = ("-x", "-p", "no:cacheprovider", f"--basetemp={place.home / 'tests'}")
    return place.run(str(place.python), *words, *quiet, *(str(place.checkout / test) for test in tests))


def everything(place: Place, tests: tuple[str, ...]) -> str:
    """The toy training through the command line, then the tests."""
    return train_and_route(place) or (suite(place, tests) if tests else "")


_WARNINGS = ("Warning", "WARNING", "warn(", "Matplotlib created", "mkdir -p failed", "srun")
_KEPT = ("PATH", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "PREFILLROUTE_TRACEBACK")
