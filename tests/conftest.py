"""What holds for every test."""

import logging
from collections.abc import Iterator

import pytest


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
