"""Wall seconds of a run's stages, for `timings_s` in metrics.json."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

log = logging.getLogger(__name__)


class Timings:
    """Adds up wall seconds by stage name, in the order in which the stages first began."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time one stage and log it when it is done."""
        self.seconds.setdefault(stage, 0.0)
        start = time.perf_counter()
        yield
        took = time.perf_counter() - start
        self.seconds[stage] += took
        log.info("%-12s %7.1f s", stage, took)

    def add(self, seconds: Mapping[str, float]) -> None:
        """Record stages that were timed elsewhere, perhaps by an earlier job that did the work."""
        for stage, took in seconds.items():
            self.seconds[stage] = self.seconds.get(stage, 0.0) + took
            log.info("%-12s %7.1f s", stage, took)
