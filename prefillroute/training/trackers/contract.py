"""What a run tells its tracker; this class does for any Lightning logger what all of them can do.

A logger that takes more has a class of its own, which its file in `conf/logger/` names under the key `tracker`.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger

from prefillroute.caches.identity import CacheIdentity


@dataclass(frozen=True)
class RunCard:
    """What is known of a run before it begins."""

    folder: Path
    """The run folder."""
    id: str
    """The same whenever the run is started again in its folder."""
    config: Mapping[str, Any]
    """The resolved configuration as plain values."""
    choices: Mapping[str, str] = field(default_factory=dict)
    """The option of each group that the predictor reads."""
    name: str = ""
    """For people: the choices that vary in its sweep, or else the main ones."""
    sweep: str | None = None
    """Name of the sweep's folder; None for a single run."""
    command: str | None = None
    """The command that goes on with the sweep; None for a single run."""

    @property
    def logs(self) -> Path:
        """Where loggers write."""
        return self.folder / "logs"


@dataclass(frozen=True)
class RunSources:
    """The files that a run was made from."""

    pool: str
    outcomes: Path
    """Folder of `queries.parquet` and `outcomes.parquet`."""
    caches: Mapping[Path, CacheIdentity]
    """What made the cache of each index file that the predictor reads."""


class Tracker:
    """Tells any Lightning logger about a run.

    Args:
        make: makes the logger; takes further arguments of its constructor.
        card: the run.
    """

    logger: Logger
    """What Lightning's trainer gets."""

    def __init__(self, make: Callable[..., Logger], card: RunCard) -> None:
        self.card = card
        self.logger = make()

    def begin(self) -> None:
        """Give the configuration to the logger."""
        with warnings.catch_warnings():
            # A resumed run rewrites its CSV file, including the epochs before the resume, so nothing is lost.
            warnings.filterwarnings("ignore", message="Experiment logs directory")
            self.logger.log_hyperparams(dict(self.card.config))

    def measured(self, metrics: Mapping[str, Any]) -> None:
        """Log the numbers of one section of metrics.json (without nulls and names) as ``test/<name>``."""
        self.logger.log_metrics(
            {f"test/{k}": float(v) for k, v in metrics.items() if isinstance(v, int | float)}
        )
        self.logger.save()

    def wrote(self, sources: Callable[[], RunSources]) -> None:
        """The run folder is complete: metrics.json, the tables, and if wanted report and bundle.

        Args:
            sources: finds out what the run was made from.
        """

    def end(self, error: BaseException | None = None) -> None:
        """Close the logger.

        Args:
            error: what ended the run; None if it finished.
        """
        self.logger.finalize("success" if error is None else "failed")
