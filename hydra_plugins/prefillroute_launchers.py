"""The launchers `slurm_*` and `local`. Hydra looks for launchers in this namespace package only.

Hydra imports this module at every start, so that it imports nothing large.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn
from hydra_plugins.hydra_submitit_launcher.config import BaseQueueConf, SlurmQueueConf
from hydra_plugins.hydra_submitit_launcher.submitit_launcher import BaseSubmititLauncher


class SlurmLauncher(BaseSubmititLauncher):
    """Submits a sweep to SLURM; see `prefillroute.jobs.launch`."""

    _EXECUTOR = "slurm"

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Submit what has not finished, and wait for it unless the launcher is detached."""
        from prefillroute.jobs.launch import launch  # noqa: PLC0415
        from prefillroute.training.objectives import read_objectives  # noqa: PLC0415

        def value_of(folder: Path) -> float | list[float] | None:
            return read_objectives(folder, self.config.get("objectives") or ())

        return launch(self, self._EXECUTOR, job_overrides, initial_job_idx, value_of)

    def __call__(
        self, folder: str, overrides: list[str], number: int, state: dict[type, Singleton]
    ) -> JobReturn:
        """Run one job, on the machine that the scheduler has chosen."""
        from prefillroute.jobs.launch import on_the_other_side  # noqa: PLC0415

        with on_the_other_side(folder, self._EXECUTOR):
            return super().__call__(overrides, "hydra.sweep.dir", number, "", state)


class LocalLauncher(SlurmLauncher):
    """Runs a sweep's jobs in processes of this machine, a few at a time."""

    _EXECUTOR = "local"


@dataclass
class Slurm(SlurmQueueConf):
    """What a preset for SLURM may set."""

    _target_: str = "hydra_plugins.prefillroute_launchers.SlurmLauncher"
    detach: bool = False
    plan: bool = False
    probe: bool = False


@dataclass
class Local(BaseQueueConf):
    """What a preset for this machine may set."""

    _target_: str = "hydra_plugins.prefillroute_launchers.LocalLauncher"
    array_parallelism: int = 2
    detach: bool = False
    plan: bool = False
    probe: bool = False


def _register() -> None:
    store: Any = ConfigStore.instance()
    for name, schema in (("slurm_schema", Slurm), ("local_schema", Local)):
        store.store(group="hydra/launcher", name=name, node=schema(), provider="prefillroute")


_register()
