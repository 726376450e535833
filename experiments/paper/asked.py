"""What a study is asked to find out of one pool, and the runs that it is made from."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from omegaconf import DictConfig

from experiments.comparing.training import Job, train
from prefillroute.config.compose import compose_run
from prefillroute.errors import UserError
from prefillroute.jobs.status import read_status
from prefillroute.routing.evaluation import NUM_RESAMPLES
from prefillroute.training.data import RunData, load_data

NUM_TEXTS = 80


@dataclass(frozen=True)
class Asked:
    """One pool, and how it is to be studied.

    Every run of the pool has the same split, so that any two of them can be compared query by query.
    """

    pool: str
    encoders: tuple[str, ...]
    """Options of the group, from the weakest to the strongest as the user orders them."""
    out: Path
    """Folder of the study; runs and parts of a pool lie in a folder of its name."""
    overrides: tuple[str, ...] = ()
    """Overrides of every run."""
    num_resamples: int = NUM_RESAMPLES
    """Bootstrap resamples of differences."""
    others: tuple[str, ...] = ()
    """The other pools of the study."""
    semantic: tuple[str, ...] | None = None
    """Semantic routers that are compared with SharedTrunkNet, NAME[:CALIBRATION] each; None takes the usual ones."""
    embedders: tuple[str, ...] = ("minilm",)
    """Options of the group; a semantic router that reads an embedding is trained on each."""
    grid: Path | None = None
    """Sweep folder of a finished experiment=semantic/grid on this pool: the best and the worst routers are its own."""
    num_texts: int = NUM_TEXTS
    """Test queries that are reworded."""
    paraphrases: Path | None = None
    """Table of rewordings that the user brings."""

    @property
    def folder(self) -> Path:
        """What is known of the pool."""
        return self.out / self.pool

    @property
    def common(self) -> tuple[str, ...]:
        """The overrides that every run of the pool has."""
        return (f"pool={self.pool}", *self.overrides)

    def run(self, name: str, *overrides: str) -> Path:
        """The folder of a run; it is trained unless it finished earlier with the same overrides.

        Args:
            name: of its folder; one name stands for one set of overrides.
            overrides: its own, beside the common ones.

        Raises:
            UserError: the run failed, with its own error.
        """
        job = Job(name, (*overrides, *self.common), self.folder / "runs" / name)
        if not train(job):
            status = read_status(job.folder)
            error = (
                status.error if status and status.error else "expected a finished run, found one that failed"
            )
            raise UserError(f"run {name}: {error}")
        return job.folder

    def prefill(self, encoder: str) -> Path:
        """The folder of the paper's router on an encoder: a run that several parts read.

        Raises:
            UserError: as for `run`.
        """
        return self.run(f"prefill-{encoder}", *trunk_on(encoder))

    def config(self, *overrides: str) -> DictConfig:
        """The configuration that a run with these overrides has, for parts that need no run."""
        return compose_run((*overrides, *self.common))

    @cached_property
    def data(self) -> RunData:
        """Outcomes and split of every run."""
        return load_data(self.config())


def trunk_on(encoder: str) -> tuple[str, ...]:
    """Overrides of the paper's router: SharedTrunkNet on one encoder's prefill."""
    return "signal=prefill", "head=shared_trunk", f"encoder={encoder}", "mode=single"
