"""What holds for every test."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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
