"""A fit is one process on one device, whatever launched it: Lightning is told so instead of guessing.

Left to guess, Lightning looks for SLURM, torchrun and MPI in the environment. It then warns of an `srun` that is
installed but not used, refuses a job with several tasks, installs signal handlers that requeue the job, and writes
neither log nor checkpoint where `SLURM_PROCID` or `LOCAL_RANK` is not 0, as in the jobs that `srun` starts side by
side.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_utilities.core.rank_zero import rank_zero_only


class OneProcess(LightningEnvironment):
    """The whole cluster: this process."""

    @property
    def creates_processes_externally(self) -> bool:
        """No launcher's ranks are read."""
        return False

    def local_rank(self) -> int:
        """Always 0."""
        return 0

    def node_rank(self) -> int:
        """Always 0."""
        return 0


@contextmanager
def first_rank() -> Iterator[None]:
    """Lightning's loggers write in here, whichever rank the environment gave this process."""
    # Lightning sets it where it is imported, from RANK, LOCAL_RANK, SLURM_PROCID or JSM_NAMESPACE_RANK.
    lightning: Any = rank_zero_only  # a function with an attribute, which its type does not show
    rank = lightning.rank
    lightning.rank = 0
    try:
        yield
    finally:
        lightning.rank = rank
