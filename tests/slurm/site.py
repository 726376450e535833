"""A user's folder on a cluster: a pool, a toy encoder and its cache, and the commands that are run there."""

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from experiments.badinput import toy
from prefillroute.caches.reader import ActivationCache
from prefillroute.jobs.states import JobState, ask_schedulers, read_states

NUM_QUERIES = 160
TINY = ("encoder=toy", "pool=tiny")
QUICK = (*TINY, "trainer=short", "num_folds=2", "layers.dims=[4]", "evaluation.num_resamples=0")
PRESET = ("hydra/launcher=slurm_cpu", "hydra.launcher.cpus_per_task=1", "hydra.launcher.mem_gb=1")


@dataclass(frozen=True)
class Site:
    """The folder in which commands are run."""

    root: Path

    def build(self) -> None:
        """Write data, encoder and configuration, and extract without a cluster."""
        data = self.root / "data" / "tiny"
        data.mkdir(parents=True)
        queries = toy.queries(NUM_QUERIES)
        queries.to_parquet(data / "queries.parquet", index=False)
        toy.outcomes(queries).to_parquet(data / "outcomes.parquet", index=False)
        toy.write_encoder(self.root / "toy")
        targets = [
            {"name": name, "price_in": price_in, "price_out": price_out}
            for name, (price_in, price_out) in toy.TARGETS.items()
        ]
        encoder = {
            "name": "toy", "repo": "toy", "num_layers": toy.NUM_LAYERS, "hidden_size": toy.HIDDEN_SIZE,
            "context_length": toy.CONTEXT_LENGTH, "params_b": 0.001,
        }  # fmt: skip
        self._write("encoder/toy", encoder)
        self._write(
            "pool/tiny", {"name": "tiny", "outcomes": "data/tiny", "import_hint": "none", "targets": targets}
        )
        short = {"defaults": ["default", "_self_"], "num_members": 1, "num_kept": 1, "max_epochs": 2}
        self._write("trainer/short", short)
        self._write("trainer/long", short | {"max_epochs": 6000, "patience": 100000})
        self("extract", *TINY, check=True)

    def _write(self, name: str, node: dict) -> None:
        path = self.root / "conf" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(node, sort_keys=False))

    def __call__(self, *words: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        """`prefillroute WORDS`, one thread, no hub."""
        done = subprocess.run(
            [sys.executable, "-m", "prefillroute.cli.main", *words],
            cwd=self.root, env=environment(), capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        return done

    def launch(self, name: str, *words: str) -> Path:
        """Submit a sweep of trainings to SLURM and return at once; gives the sweep's folder."""
        self("train", "-m", *QUICK, *PRESET, f"hydra.sweep.dir=runs/{name}", *words, "--detach", check=True)
        return self.root / "runs" / name

    def metrics(self, folder: Path) -> dict:
        """`metrics.json` of a job, without what the clock says."""
        return {
            key: value
            for key, value in json.loads((folder / "metrics.json").read_text()).items()
            if key != "timings_s"
        }


def environment() -> dict[str, str]:
    """The environment of commands, without what would make them look for services."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("PREFILLROUTE_", "SLURM_"))}
    root = str(Path(__file__).parents[2])
    return own | {"PYTHONPATH": root, "OMP_NUM_THREADS": "1", "COLUMNS": "300", "HF_HUB_OFFLINE": "1"}


def states(sweep: Path) -> list[JobState]:
    """How the jobs of a sweep stand, by their folders and SLURM."""
    return read_states(sweep, ask_schedulers(sweep))


def wait(sweep: Path, until: Callable[[Sequence[JobState]], bool], seconds: float = 300) -> list[JobState]:
    """The states of a sweep's jobs, as soon as they fulfil a condition."""
    end = time.monotonic() + seconds
    moved = time.monotonic()
    while not until(found := states(sweep)):
        said = [(state.folder, state.state, state.error, state.status) for state in found]
        moved = moved if all_ended(found) else time.monotonic()
        assert time.monotonic() < moved + 20, f"nothing will change any more: {said}"
        assert time.monotonic() < end, f"waited {seconds} s in vain: {said}"
        time.sleep(0.5)
    return found


def all_ended(found: Sequence[JobState]) -> bool:
    """Whether no job waits or runs."""
    return all(state.has_ended for state in found)


def epoch(state: JobState) -> int:
    """The epoch that a job says it has reached; 0 before the first."""
    words = "" if state.status is None else state.status.progress
    return int(words.split()[1]) if words.startswith("epoch") else 0


def slurm(*words: str) -> str:
    """What one of SLURM's commands prints."""
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout


def activations(path: Path) -> dict[str, np.ndarray]:
    """Everything that a cache of the pool holds: query tokens and the rows of every layer and pooling."""
    view = ActivationCache(path).select([f"q{number}" for number in range(NUM_QUERIES)])
    cells = itertools.product(view.layer_ids, view.poolings)
    read = {f"{layer} {pooling}": view.read(layer, pooling) for layer, pooling in cells}
    return read | {"tokens": view.query_tokens}
