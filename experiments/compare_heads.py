"""Paired differences between finished runs, pool by pool: `python -m experiments.compare_heads RUNS...`.

RUNS are sweep or run folders. In every pool the reference (`--reference`, the head shared_trunk) is compared with each
other run on the same test queries; an interval that excludes 0 is marked. Runs of one pool must share their test part.
Runs are told apart by their heads or, with `--by folder`, by the names of their folders.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from experiments.comparing.pool import catalogued, compare_pool
from experiments.comparing.printing import print_comparison
from prefillroute.config.guard import guarded
from prefillroute.errors import UserError
from prefillroute.reports.run_table import read_config
from prefillroute.routing.evaluation import NUM_RESAMPLES

METRICS = ("mean_auc", "mean_brier", "relative_auc", "hull_gain")


@dataclass(frozen=True)
class Run:
    """One finished run folder."""

    folder: Path
    pool: str
    name: str
    """Of its head, or of its folder."""


def find_runs(folders: list[Path], by: str = "head") -> list[Run]:
    """Every finished run at or below the folders.

    Raises:
        UserError: a folder without one.
    """
    runs = []
    for folder in folders:
        found = sorted(path.parent for path in folder.rglob("metrics.json"))
        if not found:
            raise UserError(f"{folder}: no finished run (metrics.json) in it")
        for path in found:
            config = read_config(path)
            head = str(config.head["_target_"]).split(".")[-2]
            runs.append(Run(path, config.pool.name, head if by == "head" else path.name))
    return runs


def by_pool(runs: list[Run]) -> dict[str, dict[str, Run]]:
    """Pool to name to run.

    Raises:
        UserError: two runs of one name on one pool.
    """
    pools: dict[str, dict[str, Run]] = {}
    for run in runs:
        names = pools.setdefault(run.pool, {})
        if run.name in names:
            raise UserError(
                f"{run.folder}: expected one run called {run.name} on pool {run.pool}, found a second after "
                f"{names[run.name].folder}; name the runs to compare"
            )
        names[run.name] = run
    return pools


def main() -> int:
    """Print, per pool, each run's values and its paired differences from the reference."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--reference", default="shared_trunk")
    parser.add_argument("--by", choices=("head", "folder"), default="head", help="what a run is called")
    parser.add_argument("--resamples", type=int, default=NUM_RESAMPLES)
    arguments = parser.parse_args()
    runs = find_runs(arguments.runs, arguments.by)
    for pool, mine in sorted(by_pool(runs).items()):
        folders = {name: run.folder for name, run in mine.items()}
        found = compare_pool(pool, folders, arguments.reference, arguments.resamples)
        print_comparison(found, catalogued(METRICS))
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
