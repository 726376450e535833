"""A folder with a pool, an encoder, a cache and a finished run, made once; every case gets its own copy.

Commands run inside that folder, as a user's would: the default paths ``data``, ``caches`` and ``runs``
are relative, and a copy's cache and bundle still name the same encoder.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from experiments.badinput import toy

REPOSITORY = Path(__file__).resolve().parents[2]
NUM_QUERIES = 160


@dataclass(frozen=True)
class Workspace:
    """Where the files of one case lie. `root` holds ``data/tiny``, ``encoder``, ``caches`` and
    ``runs/first``.
    """

    root: Path

    @property
    def data(self) -> Path:
        """The outcome table's folder."""
        return self.root / "data" / "tiny"

    @property
    def encoder(self) -> Path:
        """The toy encoder's folder."""
        return self.root / "encoder"

    @property
    def caches(self) -> Path:
        """Activation caches."""
        return self.root / "caches"

    @property
    def router(self) -> Path:
        """The bundle of the finished run."""
        return self.root / "runs" / "first" / "router"

    def environment(self) -> dict[str, str]:
        """Variables of the commands: one thread, wide lines, an address where no hub is."""
        return {
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "OMP_NUM_THREADS": "1",
            "CUDA_VISIBLE_DEVICES": "",
            "COLUMNS": "500",
            "HF_ENDPOINT": "http://127.0.0.1:9",
            "HF_HOME": str(self.root / "hub"),
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }

    def facts(self) -> list[str]:
        """Overrides that put the toy encoder and the tiny pool in the place of real ones."""
        targets = ",".join(
            f"{{name:{name},price_in:{price_in},price_out:{price_out}}}"
            for name, (price_in, price_out) in toy.TARGETS.items()
        )
        return [
            "encoder=smollm2_135m_hub",
            "encoder.name=toy",
            "encoder.repo=encoder",
            f"encoder.num_layers={toy.NUM_LAYERS}",
            f"encoder.hidden_size={toy.HIDDEN_SIZE}",
            f"encoder.context_length={toy.CONTEXT_LENGTH}",
            "encoder.params_b=0.001",
            "pool=mmlu_pro_six",
            "pool.name=tiny",
            "pool.outcomes=data/tiny",
            f"pool.targets=[{targets}]",
        ]

    def train(self, *overrides: str, run: str = "second") -> list[str]:
        """`python train.py` on the toy facts, as small as the options allow."""
        layers = [] if any(override.startswith("layers=") for override in overrides) else ["layers.dims=[4]"]
        return [
            sys.executable,
            str(REPOSITORY / "train.py"),
            *self.facts(),
            "trainer.max_epochs=2",
            "num_folds=2",
            *layers,
            "evaluation.num_resamples=0",
            "threads=1",
            f"hydra.run.dir=runs/{run}",
            *overrides,
        ]

    def extract(self, *overrides: str) -> list[str]:
        """`prefillroute extract` on the toy facts."""
        return [*self.command("extract"), *self.facts(), *overrides]

    def route(self, *arguments: str) -> list[str]:
        """`prefillroute route` with the finished run's bundle."""
        return [*self.command("route"), "--router", "runs/first/router", *arguments]

    def command(self, *arguments: str) -> list[str]:
        """Any subcommand, by the module behind the console script."""
        return [sys.executable, "-m", "prefillroute.cli.main", *arguments]


def build(root: Path) -> Workspace:
    """Write pool and encoder, extract and train once, through the command line.

    Raises:
        RuntimeError: one of the two commands failed; its output is in the message.
    """
    workspace = Workspace(root)
    workspace.data.mkdir(parents=True)
    queries = toy.queries(NUM_QUERIES)
    queries.to_parquet(workspace.data / "queries.parquet", index=False)
    toy.outcomes(queries).to_parquet(workspace.data / "outcomes.parquet", index=False)
    toy.write_encoder(workspace.encoder)
    for command in (workspace.extract(), workspace.train(run="first")):
        done = subprocess.run(
            command, cwd=root, env=workspace.environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return workspace


def copy(workspace: Workspace, root: Path) -> Workspace:
    """A copy at `root`, for one case to break."""
    shutil.copytree(workspace.root, root)
    return Workspace(root)


def sums(root: Path) -> dict[str, str]:
    """SHA-256 of every file below `root`, by relative path."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
