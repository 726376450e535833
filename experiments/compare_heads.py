"""Paired differences between the heads of finished runs, pool by pool: `python -m experiments.compare_heads RUNS...`.

RUNS are sweep or run folders. In every pool the reference head (shared_trunk) is compared with each other head on the
same test queries; an interval that excludes 0 is marked. Runs of one pool must share their test part.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import OmegaConf
from rich.console import Console
from rich.table import Table

from prefillroute.config.guard import guarded
from prefillroute.errors import UserError
from prefillroute.routing.comparison import compare
from prefillroute.routing.table import ConfidenceTable

METRICS = {"mean_auc": "AUC", "mean_brier": "Brier", "relative_auc": "relative AUC", "hull_gain": "hull gain"}


@dataclass(frozen=True)
class Run:
    """One finished run folder."""

    folder: Path
    pool: str
    head: str

    def table(self) -> ConfidenceTable:
        """Its predictions; the benchmark column does not enter the compared metrics."""
        frame = pd.read_parquet(self.folder / "predictions.parquet")
        queries = pd.DataFrame({"query_id": frame["query_id"].unique(), "benchmark": "all"})
        return ConfidenceTable.from_frame(frame, queries)

    def metrics(self) -> dict[str, Any]:
        """Its metrics.json."""
        loaded: dict[str, Any] = json.loads((self.folder / "metrics.json").read_text())
        return loaded


def find_runs(folders: list[Path]) -> list[Run]:
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
            config = OmegaConf.load(path / ".hydra" / "config.yaml")
            runs.append(Run(path, config.pool.name, str(config.head["_target_"]).split(".")[-2]))
    return runs


def by_pool(runs: list[Run]) -> dict[str, dict[str, Run]]:
    """Pool to head to run.

    Raises:
        UserError: two runs of one head on one pool.
    """
    pools: dict[str, dict[str, Run]] = {}
    for run in runs:
        heads = pools.setdefault(run.pool, {})
        if run.head in heads:
            raise UserError(
                f"{run.folder}: a second run of head {run.head} on pool {run.pool}, after {heads[run.head].folder}; "
                "name the runs to compare"
            )
        heads[run.head] = run
    return pools


def main() -> int:
    """Print, per pool, each head's values and its paired differences from the reference."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--reference", default="shared_trunk")
    parser.add_argument("--resamples", type=int, default=1000)
    arguments = parser.parse_args()
    runs = find_runs(arguments.runs)
    for pool, mine in sorted(by_pool(runs).items()):
        if arguments.reference not in mine:
            raise UserError(f"pool {pool}: no run of head {arguments.reference}; found {', '.join(mine)}")
        print_pool(pool, mine, arguments.reference, arguments.resamples)
    return 0


def print_pool(pool: str, runs: dict[str, Run], reference: str, resamples: int) -> None:
    """Two tables: values with intervals, and differences `reference - head` with paired intervals."""
    console = Console(width=150)
    values = Table(title=f"{pool}: values [95 % interval]", title_justify="left")
    paired = Table(title=f"{pool}: {reference} minus the other; * excludes 0", title_justify="left")
    for table in (values, paired):
        table.add_column("head")
        for words in METRICS.values():
            table.add_column(words, justify="right")
    for head, run in runs.items():
        metrics = run.metrics()
        cells = [_value(metrics["test"].get(key), metrics["intervals"].get(key)) for key in METRICS]
        values.add_row(head, *cells)
    base = runs[reference].table()
    for head, run in runs.items():
        if head != reference:
            found = compare(base, run.table(), num_resamples=resamples)
            paired.add_row(
                head, *[_value(found["difference"][k], found["intervals"][k], True) for k in METRICS]
            )
    console.print(values)
    if paired.row_count:
        console.print(paired)


def _value(value: float | None, interval: list[float] | None, signed: bool = False) -> str:
    if value is None:
        return "-"
    form = "{:+.4f}" if signed else "{:.4f}"
    if interval is None or None in interval:
        return form.format(value)
    low, high = interval
    mark = " *" if signed and (low > 0 or high < 0) else ""
    return f"{form.format(value)} \\[{form.format(low)}, {form.format(high)}]{mark}"


if __name__ == "__main__":
    sys.exit(guarded(main))
