"""What holds for every test."""

import logging
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.wandb_stand_in.server import stand_in, variables
from tests.wandb_stand_in.store import Store

# In CI the same examples each time: a failure there is of the change, not of the draw. Elsewhere new ones each time.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("local", deadline=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

ROOT = Path(__file__).resolve().parents[1]

SLURM_REQUIRED = "PREFILLROUTE_SLURM"
"""Environment variable that makes a missing cluster an error; `.ci/run` sets it."""


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """`real_data("mmlu_pro")`: that folder of ../shared/data or data/; without one the test is skipped."""

    def find(name: str) -> Path:
        for folder in (ROOT.parent / "shared" / "data" / name, ROOT / "data" / name):
            if folder.is_dir():
                return folder
        pytest.skip(f"no {name} in ../shared/data or data/")

    return find


@pytest.fixture(scope="session")
def cluster() -> None:
    """The cluster of `slurm/local_cluster.sh`, and no other: these tests fill every node and preempt its jobs."""
    try:
        said = subprocess.run(["scontrol", "show", "config"], capture_output=True, text=True, timeout=30)
        name = next(
            (line.split()[-1] for line in said.stdout.splitlines() if line.startswith("ClusterName")), "none"
        )
    except (OSError, subprocess.TimeoutExpired):
        name = "none"
    if name == "prefillroute-local":
        return
    message = f"expected the cluster of `slurm/local_cluster.sh start`, found {name}"
    if os.environ.get(SLURM_REQUIRED):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(autouse=True)
def logging_as_found() -> Iterator[None]:
    """Undo what outlives a test: Hydra's set-up disables loggers, Inspect's raises the root's level."""
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)
    for logger in root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False


@pytest.fixture
def wandb_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """`wandb_home(url)`: from now on W&B talks to that server only, from an empty home, until the test ends."""

    def at(url: str) -> None:
        for name, value in variables(url, tmp_path / "home").items():
            monkeypatch.setenv(name, value)

    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    yield at
    if "wandb" in sys.modules:
        sys.modules["wandb"].teardown()


@pytest.fixture
def wandb_server(wandb_home: Callable[[str], None]) -> Iterator[Store]:
    """A stand-in for W&B's server, to which the real client of this process talks."""
    with stand_in() as store:
        wandb_home(store.url)
        yield store
        if "wandb" in sys.modules:
            sys.modules["wandb"].teardown()
    assert store.unknown == []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count the skipped tests by reason, so that a suite that skips much does not look like one that passes."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped)
    terminalreporter.section(f"{len(skipped)} skipped")
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count:5d}  {reason}")
