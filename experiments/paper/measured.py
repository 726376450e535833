"""Numbers of a router on its test queries with their resamples, to be averaged and subtracted before the interval.

B = resamples, N = test queries, M = targets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from prefillroute.errors import UserError
from prefillroute.metrics.bootstrap import interval, resample_weights
from prefillroute.reports.catalogue import Metric, catalogued
from prefillroute.routing.baselines import constant_confidence
from prefillroute.routing.evaluation import chunk_size
from prefillroute.routing.sample import Sample
from prefillroute.routing.statistics.contract import RouterStatistic
from prefillroute.routing.statistics.hull_gain import HULL_GAIN
from prefillroute.routing.statistics.prediction import MEAN_AUC, MEAN_BRIER, MEAN_ECE
from prefillroute.routing.statistics.relative_auc import RELATIVE_AUC
from prefillroute.routing.statistics.view import PoolView, RouterView
from prefillroute.routing.table import ConfidenceTable

STATISTICS: tuple[RouterStatistic, ...] = (MEAN_AUC, RELATIVE_AUC, HULL_GAIN, MEAN_BRIER, MEAN_ECE)
"""What is measured: discrimination, between queries and between targets; routing; calibration."""
METRICS: tuple[Metric, ...] = tuple(map(catalogued, STATISTICS))
"""The same, as reports show them."""
OF_MANY = 400
"""Resamples at most in parts that measure dozens of routers."""


@dataclass(frozen=True)
class Number:
    """A value, and the same under B resamples of the test queries.

    Example:
        >>> one, two = Number(0.7, np.array([0.6, 0.8])), Number(0.5, np.array([0.5, 0.5]))
        >>> round((one - two).value, 3), Number.mean([one, two]).interval
        (0.2, (0.55, 0.65))
    """

    value: float
    """NaN where it is undefined."""
    resamples: np.ndarray
    """(B,); two numbers of the same queries meet the same resamples."""
    centred: bool = False
    """Whether resampling biases it, so that its interval is shifted onto the value."""

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval; None without resamples, or where the value is undefined."""
        if np.isnan(self.value):
            return None
        return interval(self.resamples, centre=self.value if self.centred else None)

    @property
    def sign(self) -> int:
        """1 or -1 where the interval excludes 0, else 0."""
        ends = self.interval
        return 0 if ends is None else (ends[0] > 0) - (ends[1] < 0)

    def __sub__(self, other: "Number") -> "Number":
        """The paired difference; both are of the same queries."""
        return Number(
            self.value - other.value, self.resamples - other.resamples, self.centred or other.centred
        )

    @classmethod
    def mean(cls, numbers: Sequence["Number"]) -> "Number":
        """The mean of those that are defined, under each resample; of none, NaN.

        It is paired where the numbers are of the same queries. Where they are of different groups of queries, it is the
        mean over groups under a bootstrap within groups.
        """
        defined = [number for number in numbers if not np.isnan(number.value)]
        if not defined:
            return replace(numbers[0], value=np.nan)
        resamples = np.stack([number.resamples for number in defined])
        known = ~np.isnan(resamples)
        total = np.where(known, resamples, 0.0).sum(axis=0)
        count = known.sum(axis=0)
        return cls(
            float(np.mean([number.value for number in defined])),
            np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0),
            any(number.centred for number in defined),
        )


Numbers = Mapping[str, Number]
"""By the key of a metric."""


def measure(test: ConfidenceTable, num_resamples: int, seed: int = 0) -> dict[str, Number]:
    """Measure a router on its test queries.

    Args:
        test: N test queries, in an order that is the same for all routers that are compared.
        num_resamples: B.
        seed: of the resamples.
    """
    cost_range = (float(test.cost_usd.min()), float(test.cost_usd.max()))  # no statistic here depends on it
    sample = Sample(test, cost_range, None)

    def under(weights: np.ndarray) -> list[np.ndarray]:
        view = RouterView(sample, weights, PoolView(sample, weights, np.zeros(len(test), dtype=np.int64)))
        return [view[statistic] for statistic in STATISTICS]

    values = [float(each[0]) for each in under(np.ones((1, len(test))))]
    chunks = [
        under(weights)
        for weights in resample_weights(
            len(test), num_resamples, seed, chunk_size(len(sample.frontier.query))
        )
    ]
    resamples = [np.concatenate([np.empty(0), *parts]) for parts in zip(*chunks, strict=True)] or [
        np.empty(0)
    ] * len(STATISTICS)
    return {
        statistic.key: Number(value, many, statistic.centred)
        for statistic, value, many in zip(STATISTICS, values, resamples, strict=True)
    }


def constant(table: ConfidenceTable) -> ConfidenceTable:
    """The test queries under the predictor without skill: each target's accuracy on the table's training rows."""
    test = table.part("test")
    accuracy = constant_confidence(table.part("train_oof").correct)
    return replace(test, confidence=np.broadcast_to(accuracy, test.confidence.shape).copy())


def aligned(table: ConfidenceTable, query_ids: np.ndarray) -> ConfidenceTable:
    """The rows of these queries, in this order.

    Raises:
        UserError: the table lacks one of them.
    """
    place = {name: row for row, name in enumerate(table.query_id.tolist())}
    missing = [name for name in query_ids.tolist() if name not in place]
    if missing:
        raise UserError(
            f"query '{missing[0]}': expected a prediction of it, found none among {len(table)} queries"
        )
    return table.select(np.array([place[name] for name in query_ids.tolist()], dtype=np.int64))


def with_costs(table: ConfidenceTable, reference: ConfidenceTable) -> ConfidenceTable:
    """The table with the cost estimates of another one for the same queries, so that only confidences differ."""
    return replace(table, cost_usd=aligned(reference, table.query_id).cost_usd)
