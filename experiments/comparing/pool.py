"""The routers of one pool: each one's numbers, and its paired differences from a reference."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from prefillroute.errors import UserError
from prefillroute.metrics.ratio import NOTHING
from prefillroute.reports.catalogue import Metric, global_metrics
from prefillroute.reports.headline import number
from prefillroute.reports.numbers import MISSING, NBSP, decimal, points
from prefillroute.reports.run_folder import read_metrics
from prefillroute.reports.run_table import read_predictions
from prefillroute.routing.comparison import compare
from prefillroute.routing.evaluation import NUM_RESAMPLES
from prefillroute.routing.table import ConfidenceTable

TABLES_4_TO_6 = (
    "mean_auc",
    "mean_brier",
    "mean_ece",
    "relative_auc",
    "hull_gain",
    "p_auccc",
    "mdp_auccc",
    "efficacy",
    "headroom_captured",
    "cost_savings",
)
"""What the paper compares routers by, and the two measures beside it that know what skill is."""


Part = Literal["test", "disagreement"]


@dataclass(frozen=True)
class Difference:
    """Reference minus other, with its 95 % interval over the same resamples of the test queries."""

    value: float | None
    low: float | None
    high: float | None

    @property
    def ends(self) -> tuple[float, ...]:
        """The value and the ends of its interval, as far as they are known."""
        return tuple(end for end in (self.value, self.low, self.high) if end is not None)

    @property
    def sign(self) -> int:
        """1 or -1 where the interval excludes 0 by more than rounding, else 0."""
        if self.low is None or self.high is None:
            return 0
        return (self.low > NOTHING) - (self.high < -NOTHING)

    def favours(self, metric: Metric) -> int:
        """1 where the interval excludes 0 and the reference is better, -1 where the other is, else 0."""
        return -self.sign if metric.better == "lower" else self.sign


@dataclass(frozen=True)
class PoolComparison:
    """Routers on the same test queries."""

    pool: str
    reference: str
    metrics: Mapping[str, dict[str, Any]]
    """Router to metrics.json; the reference comes first."""
    differences: Mapping[str, Mapping[str, Difference]]
    """Router to metric to difference; all but the reference."""

    def frame(self, shown: Sequence[Metric]) -> pd.DataFrame:
        """One row per router and metric: value, interval, difference, interval, whether that excludes 0."""
        rows = []
        for router, metrics in self.metrics.items():
            for metric in shown:
                low, high = (metrics.get("intervals") or {}).get(metric.key) or (None, None)
                row: dict[str, object] = {"pool": self.pool, "router": router, "metric": metric.key}
                row |= {"value": number(metrics["test"], metric.key), "low": low, "high": high}
                if router != self.reference:
                    found = self.differences[router][metric.key]
                    row |= {
                        f"{self.reference}_minus_it": found.value,
                        "difference_low": found.low,
                        "difference_high": found.high,
                        "excludes_0": found.sign != 0,
                    }
                rows.append(row)
        return pd.DataFrame(rows)


def catalogued(keys: Sequence[str]) -> list[Metric]:
    """The catalogue's entries of metrics, in the order of `keys`."""
    known = {metric.key: metric for metric in global_metrics()}
    return [known[key] for key in keys]


def compare_pool(
    pool: str,
    folders: Mapping[str, Path],
    reference: str,
    num_resamples: int = NUM_RESAMPLES,
    part: Part = "test",
) -> PoolComparison:
    """Compare finished runs of one pool.

    Args:
        pool: its name.
        folders: router to run folder.
        reference: the router that each other one is compared with.
        num_resamples: of the differences; values keep the intervals of their runs.
        part: all test queries, or those on which the targets disagree.

    Raises:
        UserError: no run of the reference, a damaged run, or runs that do not share their test part.
    """
    if reference not in folders:
        raise UserError(f"pool {pool}: no run of {reference}; found {', '.join(folders)}")
    names = [reference, *(name for name in folders if name != reference)]
    metrics = {name: _of_part(read_metrics(folders[name]), part) for name in names}

    def predictions(name: str) -> ConfidenceTable:
        table = read_predictions(folders[name])
        return table if part == "test" else table.select((table.split != "test") | table.disagreement)

    base = predictions(reference)
    differences = {}
    for name in names[1:]:
        found = compare(
            base,
            predictions(name),
            num_resamples=num_resamples,
            guard=_guard(metrics[reference]),
        )
        differences[name] = {
            key: Difference(value, *(found["intervals"].get(key) or (None, None)))
            for key, value in found["difference"].items()
        }
    return PoolComparison(pool, reference, metrics, differences)


def _of_part(metrics: dict[str, Any], part: Part) -> dict[str, Any]:
    """The metrics of a run with the numbers and the intervals of a part where those of all test queries are."""
    if part == "test":
        return metrics
    prefix = f"{part}."
    intervals = {
        key.removeprefix(prefix): ends
        for key, ends in (metrics.get("intervals") or {}).items()
        if key.startswith(prefix)
    }
    return {**metrics, "test": metrics[part], "intervals": intervals}


def _guard(metrics: Mapping[str, Any]) -> float:
    """The guard that a run's lambda was chosen under; runs of before there was one chose without."""
    return float((metrics.get("choice") or {}).get("guard", 0.0))


def difference_text(difference: Difference, metric: Metric) -> tuple[str, str]:
    """``+0.0123 *`` and its interval, shares in percentage points; a dash where there is none."""
    shares = metric.form(0.5).endswith(("%", "pp"))

    def form(value: float | None) -> str:
        if value is None or not math.isfinite(value):
            return MISSING
        if shares:
            return points(value)
        text = decimal(value, 4)
        return f"+{text}" if value > 0 and float(text) != 0 else text

    unit = f"{NBSP}pp" if shares else ""
    value = form(difference.value)
    if value == MISSING:
        return MISSING, ""
    mark = " *" if difference.sign else ""
    if difference.low is None or difference.high is None:
        return f"{value}{unit}", ""
    return f"{value}{unit}{mark}", f"[{form(difference.low)}, {form(difference.high)}]{unit}"
