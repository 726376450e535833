"""A logger whose failures are its own business, and which never gets an epoch twice."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import Logger

from prefillroute.config.guard import one_line

log = logging.getLogger(__name__)


class Guard:
    """Logs what fails, in one line and once for each thing, instead of raising it.

    Args:
        service: name of what may fail.

    Example:
        >>> guard = Guard("a service")
        >>> with guard("the metrics"):
        ...     raise ValueError("no connection")
    """

    def __init__(self, service: str) -> None:
        self.service = service
        self._said: set[str] = set()

    @contextmanager
    def __call__(self, what: str) -> Iterator[None]:
        """Guard a block that sends something.

        Args:
            what: is sent.
        """
        try:
            yield
        except Exception as error:
            level = logging.DEBUG if what in self._said else logging.WARNING
            self._said.add(what)
            log.log(level, "%s: %s could not be sent: %s", self.service, what, one_line(error))


def within(seconds: float, work: Callable[[], object]) -> None:
    """Do work that may wait for ever, but wait for it only so long; what is left of it goes on without anyone waiting.

    Args:
        seconds: longest wait.
        work: is done in a thread of its own, which does not keep the process alive.

    Raises:
        TimeoutError: the work is not done in time.
        Exception: what the work raised.
    """
    raised: list[BaseException] = []

    def body() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"no answer within {seconds:g} s")
    if raised:
        raise raised[0]


class GuardedLogger(Logger):
    """Passes the values of a training on to a logger: no epoch that it already has, and no failure of its back.

    A training that resumes sends all its epochs again, and repeats those after its checkpoint.

    Args:
        inner: the logger.
        guard: deals with what fails.
        last: the last epoch that the logger has; -1 for none.
        remember: is told each epoch that was passed on.
    """

    def __init__(
        self, inner: Logger, guard: Guard, last: int = -1, remember: Callable[[int], None] | None = None
    ) -> None:
        super().__init__()
        self.inner, self.guard, self.last, self.remember = inner, guard, last, remember

    @property
    def name(self) -> str | None:
        """Of the logger behind."""
        return self.inner.name

    @property
    def version(self) -> int | str | None:
        """Of the logger behind."""
        return self.inner.version

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Left out: they are part of the configuration, which the run gives as a whole."""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Passed on, unless it is a row of an epoch that the logger has."""
        epoch = metrics.get("epoch")
        if epoch is not None and epoch <= self.last:
            return
        with self.guard("the metrics"):
            self.inner.log_metrics(dict(metrics), step)
        if epoch is not None:
            self.last = int(epoch)
            if self.remember is not None:
                with self.guard("the number of the epoch"):
                    self.remember(self.last)

    def after_save_checkpoint(self, checkpoint_callback: ModelCheckpoint) -> None:
        """Passed on."""
        with self.guard("the checkpoint"):
            self.inner.after_save_checkpoint(checkpoint_callback)

    def finalize(self, status: str) -> None:
        """Passed on."""
        with self.guard("the end of the training"):
            self.inner.finalize(status)
