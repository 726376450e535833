"""A logger that passes on what another one does not have yet."""

from collections.abc import Mapping
from typing import Any

from pytorch_lightning.loggers import Logger


class OncePerEpoch(Logger):
    """Passes everything on to a logger, but no epoch that it already has.

    A training that goes on after a stop sends all its epochs again, and repeats those after its checkpoint.

    Args:
        inner: the logger.
        last: the last epoch that it has; -1 for none.
    """

    def __init__(self, inner: Logger, last: int = -1) -> None:
        super().__init__()
        self.inner, self.last = inner, last

    @property
    def name(self) -> str | None:
        """Of the logger behind."""
        return self.inner.name

    @property
    def version(self) -> int | str | None:
        """Of the logger behind."""
        return self.inner.version

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Passed on."""
        self.inner.log_hyperparams(params, *args, **kwargs)

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Passed on, unless it is a row of an epoch that the logger has."""
        epoch = metrics.get("epoch")
        if epoch is not None:
            if epoch <= self.last:
                return
            self.last = int(epoch)
        self.inner.log_metrics(dict(metrics), step)

    def save(self) -> None:
        """Passed on."""
        self.inner.save()

    def finalize(self, status: str) -> None:
        """Passed on."""
        self.inner.finalize(status)
