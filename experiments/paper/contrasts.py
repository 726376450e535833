"""Finished runs of one pool against each other: paired differences, each computed once."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from experiments.comparing.pool import Difference, catalogued, difference_text
from prefillroute.reports.catalogue import Metric
from prefillroute.reports.headline import number
from prefillroute.reports.run_folder import read_metrics
from prefillroute.reports.run_table import read_predictions
from prefillroute.routing.comparison import compare, compare_targets
from prefillroute.routing.statistics.prediction import AUC
from prefillroute.routing.table import ConfidenceTable

JUDGED = ("mean_auc", "relative_auc", "mean_brier", "hull_gain")
"""What encoders, layers and probes are judged by: metrics of the whole router, of which the paper has the first."""


class Contrasts:
    """Runs on the same test queries.

    Args:
        folders: name to run folder.
        num_resamples: of the differences.
    """

    def __init__(self, folders: Mapping[str, Path], num_resamples: int) -> None:
        self.folders, self.num_resamples = dict(folders), num_resamples
        self.metrics: dict[str, dict[str, Any]] = {
            name: read_metrics(folder) for name, folder in folders.items()
        }
        self.judged = tuple(catalogued(JUDGED))
        self._table = cache(lambda name: read_predictions(self.folders[name]))
        self._compared = cache(self._compare)
        self._targets = cache(self._compare_targets)

    def table(self, name: str) -> ConfidenceTable:
        """A run's predictions."""
        found: ConfidenceTable = self._table(name)
        return found

    def value(self, name: str, metric: Metric) -> float | None:
        """A run's own number; None where it is null."""
        return number(self.metrics[name]["test"], metric.key)

    def difference(self, a: str, b: str, metric: Metric) -> Difference:
        """Run `a` minus run `b`, with its 95 % interval.

        Raises:
            UserError: a run is damaged, or the two do not share their test part.
        """
        found = self._compared(a, b)
        return Difference(found["difference"][metric.key], *_ends(found["intervals"].get(metric.key)))

    def of_target(self, a: str, b: str, target: str) -> Difference:
        """The same for a target's AUC."""
        found = self._targets(a, b)
        ends = _ends(found["intervals"][target].get(AUC.key))
        return Difference(found["difference"][target][AUC.key], *ends)

    def _compare(self, a: str, b: str) -> dict[str, Any]:
        return compare(self.table(a), self.table(b), num_resamples=self.num_resamples, only=JUDGED)

    def _compare_targets(self, a: str, b: str) -> dict[str, Any]:
        return compare_targets(
            self.table(a), self.table(b), statistics=(AUC,), num_resamples=self.num_resamples
        )


def with_interval(difference: Difference, metric: Metric) -> str:
    """A difference and its interval; a star marks one that excludes 0."""
    return " ".join(filter(None, difference_text(difference, metric)))


def _ends(found: list[float | None] | None) -> tuple[float | None, float | None]:
    low, high = found or (None, None)
    return low, high
