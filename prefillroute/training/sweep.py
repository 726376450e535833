"""After a sweep: one table over its jobs, best to worst, and an exit status that counts the failed ones."""

import logging
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from prefillroute.reports.sweep import summarise_sweep

log = logging.getLogger(__name__)


class SweepSummary(Callback):
    """Hydra callback: prints the summary of all run folders below the sweep's folder when the last job ended."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Write summary.csv and summary.html into the sweep's folder; status 1 when a job failed."""
        failed = summarise_sweep(Path(config.hydra.sweep.dir))
        if failed:
            # SystemExit passes Hydra's callback guard, which turns ordinary exceptions into warnings.
            raise SystemExit(1)
