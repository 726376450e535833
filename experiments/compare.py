"""The comparison of the paper's tables 4-6, as one command: `python -m experiments.compare --grid runs/grid`.

On every pool the paper's router (prefill, SharedTrunkNet) is trained, and so are the best semantic routers of a grid,
chosen on its calibration rows, and unions and blends of both: all on one split, by default the grid's own, so that each
is compared as it was chosen. Finished runs are kept, so that the same command goes on after a stop, and on the grid's
own pool the grid's runs serve. Then, per pool: every router's numbers with intervals, and paired differences from the
reference, in the terminal, in OUT/comparison.csv and, with forest plots, in OUT/comparison.html.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.comparing.grid import COMBINED, PREFILL, Choice, best_of_grid, is_semantic
from experiments.comparing.page import write_comparison
from experiments.comparing.pool import TABLES_4_TO_6, PoolComparison, catalogued, compare_pool
from experiments.comparing.printing import print_comparison
from experiments.comparing.reuse import GridRuns
from experiments.comparing.training import pool_jobs, train
from prefillroute.config.folders import conf_dir
from prefillroute.config.guard import guarded
from prefillroute.errors import UserError
from prefillroute.routing.evaluation import NUM_RESAMPLES
from prefillroute.text.printing import say

POOLS = ("mmlu_pro_all", "mmlu_pro_six", "reasoning_gym_easy", "zeroeval")
REFERENCE = PREFILL


def main(arguments: Sequence[str] | None = None) -> int:
    """Train what is missing, compare, print, write; 1 where a run failed."""
    asked = _parser().parse_args(arguments)
    notes: list[str] = []
    choices = _semantic(asked, notes)
    extra = combined() if asked.extra is None else asked.extra
    chosen = {choice.name for choice in choices}
    choices += [choice for choice in map(Choice.parse, extra) if choice.name not in chosen]
    known = {path.stem for path in (conf_dir() / "experiment" / "semantic").glob("*.yaml")} - {REFERENCE}
    for choice in choices:
        if choice.name not in known:
            raise UserError(f"found router {choice.name}, wanted some of {', '.join(sorted(known))}")
    comparisons: list[PoolComparison] = []
    failed: list[str] = []
    shown = catalogued(TABLES_4_TO_6)
    grid = GridRuns(asked.grid) if asked.grid else None
    for pool in asked.pools:
        folders: dict[str, Path] = {}
        for job in pool_jobs(pool, REFERENCE, choices, asked.out, [f"split={asked.split}", *asked.overrides]):
            earlier = grid.find(job, pool) if grid else None
            if earlier is not None:
                say(f"{earlier}: a run of the grid")
            if earlier is not None or train(job):
                folders[job.name] = earlier or job.folder
                continue
            failed.append(f"{pool}: {job.name} failed, see {job.folder}")
            if job.name == REFERENCE:
                break  # nothing to compare with
        if REFERENCE in folders:
            comparisons.append(compare_pool(pool, folders, REFERENCE, asked.resamples))
            print_comparison(comparisons[-1], shown)
        if comparisons:
            page = write_comparison(asked.out, comparisons, shown, [*notes, *failed])
    for line in [*notes, *failed, *([str(page)] if comparisons else [])]:
        say(line)
    return 1 if failed else 0


def combined() -> list[str]:
    """Unions and blends that conf/ has."""
    names = sorted(path.stem for path in (conf_dir() / "experiment" / "semantic").glob("*.yaml"))
    return [name for name in names if name.startswith(COMBINED)]


def _semantic(asked: argparse.Namespace, notes: list[str]) -> list[Choice]:
    """What was named, else the best of the grid; how it was chosen is said in `notes`."""
    if asked.semantic is not None:
        return [Choice.parse(text) for text in asked.semantic]
    if asked.grid is None:
        raise UserError("found neither --grid nor --semantic: wanted a finished grid or the names to compare")
    found = best_of_grid(asked.grid, asked.best, is_semantic)
    said = "; ".join(f"{choice.name} under {choice.calibration}, {choice.auc:.4f}" for choice in found)
    notes.append(f"Chosen from {asked.grid} by mean AUC on its calibration rows: {said}.")
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--pools", nargs="+", default=list(POOLS), metavar="POOL", help=f"default: {' '.join(POOLS)}"
    )
    parser.add_argument(
        "--grid", type=Path, metavar="SWEEP", help="folder of a finished experiment=semantic/grid"
    )
    parser.add_argument("--best", type=int, default=5, metavar="N", help="how many of the grid (default: 5)")
    parser.add_argument(
        "--semantic",
        nargs="*",
        metavar="NAME[:CALIBRATION]",
        help="options of conf/experiment/semantic instead of the grid's best",
    )
    parser.add_argument(
        "--extra",
        nargs="*",
        metavar="NAME[:CALIBRATION]",
        help="further ones (default: all whose names begin with union_ or blend_)",
    )
    parser.add_argument(
        "--split", default="calibrated", help="option of the group, for every run (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/compare"), help="default: %(default)s")
    parser.add_argument(
        "--resamples",
        type=int,
        default=NUM_RESAMPLES,
        help="of the paired differences (default: %(default)s)",
    )
    parser.add_argument(
        "--overrides", nargs="*", default=[], metavar="KEY=VALUE", help="further overrides of every run"
    )
    return parser


if __name__ == "__main__":
    sys.exit(guarded(main))
