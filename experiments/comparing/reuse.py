"""Runs that a grid has finished already: a comparison on the grid's own pool need not train them again."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from experiments.comparing.training import Job
from prefillroute.config.compose import compose_run
from prefillroute.config.schema import RouterCostConfig
from prefillroute.reports.families import PREDICTOR_KEY
from prefillroute.reports.run_table import read_config
from prefillroute.reports.sweep_jobs import read_jobs

NO_MATTER = ("evaluation", "logger", "report", "threads")
"""Keys of a run that say how it is measured, shown or sped up, not what its predictions are."""


class GridRuns:
    """The finished runs of a grid, by what they are runs of.

    Args:
        grid: sweep folder over `experiment/semantic`.

    Raises:
        UserError: no such folder, or no job in it.
    """

    def __init__(self, grid: Path) -> None:
        self._folders: dict[str, list[Path]] = {}
        for job in read_jobs(grid):
            if job.metrics is not None:
                self._folders.setdefault(job.overrides.get(PREDICTOR_KEY, ""), []).append(grid / job.folder)

    def find(self, job: Job, pool: str) -> Path | None:
        """The folder of a run whose predictions are those that `job` on `pool` would make; None where there is none."""
        found = [(folder, read_config(folder)) for folder in self._folders.get(job.name, ())]
        found = [(folder, config) for folder, config in found if config.pool.name == pool]
        if not found:
            return None
        wanted = _what_counts(compose_run(job.overrides))
        return next((folder for folder, config in found if _what_counts(config) == wanted), None)


def _what_counts(config: DictConfig) -> dict[str, Any]:
    """A composed configuration as plain values, less what does not matter here."""
    kept = OmegaConf.to_container(config, resolve=False)
    assert isinstance(kept, dict)
    counted = (kept.get("evaluation") or {}).get("router_cost")
    free = OmegaConf.to_container(OmegaConf.structured(RouterCostConfig))
    kept["router_cost"] = free if counted is None else counted  # the predictions hold it
    return {str(key): value for key, value in kept.items() if key not in NO_MATTER}
