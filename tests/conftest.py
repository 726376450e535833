"""What holds for every test."""

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# In CI the same examples each time: a failure there is of the change, not of the draw. Elsewhere new ones each time.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("local", deadline=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """`real_data("mmlu_pro")`: that folder of ../shared/data or data/; without one the test is skipped."""

    def find(name: str) -> Path:
        for folder in (ROOT.parent / "shared" / "data" / name, ROOT / "data" / name):
            if folder.is_dir():
                return folder
        pytest.skip(f"no {name} in ../shared/data or data/")

    return find


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count the skipped tests by reason, so that a suite that skips much does not look like one that passes."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped)
    terminalreporter.section(f"{len(skipped)} skipped")
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count:5d}  {reason}")
