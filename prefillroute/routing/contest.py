"""The router and its baselines on one set of test rows, so that all of them meet the same resamples."""

from dataclasses import dataclass, replace

import numpy as np

from prefillroute.errors import UserError
from prefillroute.metrics.masked_mean import weighted_mean
from prefillroute.metrics.pool_points import PoolPoints
from prefillroute.routing.baselines import constant_confidence, per_benchmark_best
from prefillroute.routing.guard import GUARD
from prefillroute.routing.sample import Sample
from prefillroute.routing.selection import selection_metrics
from prefillroute.routing.statistics import Statistics, pool_points, pool_statistics, router_statistics
from prefillroute.routing.table import ConfidenceTable

# N = test queries, M = targets, B = resamples


@dataclass(frozen=True)
class Contest:
    """A router and the baselines that are measured on the same test rows."""

    router: Sample
    constant: Sample
    benchmark_choice: np.ndarray
    """(N,) target per test query, the best of its benchmark in training."""
    choice_split: str | None
    """Split of the rows on which lambda was chosen; None where it was not chosen."""
    selection: dict[str, float]
    """The router's quality on the rows on which lambda is chosen, see `selection_metrics`."""
    notes: dict[str, str]
    """What had to be taken from another split than usual."""

    @classmethod
    def prepare(
        cls,
        table: ConfidenceTable,
        grid_size: int,
        cost_range: tuple[float, float] | None,
        guard: float = GUARD,
    ) -> "Contest":
        """Split the table by its `split` column and learn the baselines from the training rows.

        The constant predictor's lambda is chosen under the same `guard` as the router's. Both are compared with the
        best single target, the one that is most accurate on all complete rows that are not test rows: finding it takes
        no confidences, and a small calibration part alone often names a different target.
        """
        test, training, calibration = (table.part(name) for name in ("test", "train_oof", "calibration"))
        if len(test) == 0:
            raise UserError("the confidence table: expected at least one row with split 'test', found 0")
        notes = {}
        choice_rows = calibration if len(calibration) else training
        learned = training if len(training) else calibration if len(calibration) else test
        if learned is not training:
            notes["baselines"] = (
                f"no train_oof rows: cost range and baselines are those of {learned.split[0]}"
            )
        if cost_range is None:
            cost_range = (float(learned.cost_usd.min()), float(learned.cost_usd.max()))
        constant = constant_confidence(learned.correct)

        def flat(part: ConfidenceTable) -> ConfidenceTable:
            return replace(part, confidence=np.broadcast_to(constant, part.confidence.shape).copy())

        best = _best_single(table) if guard > 0 else None
        router = Sample.prepare(test, choice_rows, cost_range, grid_size, guard, best)
        return cls(
            router,
            Sample.prepare(flat(test), flat(choice_rows), cost_range, grid_size, guard, best),
            per_benchmark_best(learned, test.benchmark),
            None if router.choice is None else str(choice_rows.split[0]),
            selection_metrics(choice_rows),
            notes,
        )

    def statistics(
        self, weights: np.ndarray, relative: np.ndarray | None = None
    ) -> tuple[Statistics, Statistics]:
        """Compute all statistics under weights (B, N): global ones, name to (B,), and the targets', name to (B, M).

        `relative` is the router's relative AUC (B,) under these weights, if it is already known.
        """
        sample = self.router
        whole = weights[:, sample.rows] * sample.table.complete[sample.rows]
        found = pool_statistics(pool_points(sample, whole))
        rows, taken = np.arange(len(sample.rows)), self.benchmark_choice[sample.rows]
        found["per_benchmark_best_accuracy"] = weighted_mean(sample.correct[rows, taken], whole)
        found["per_benchmark_best_cost"] = weighted_mean(sample.cost[rows, taken], whole)
        router, targets = router_statistics(sample, weights, relative)
        constant, _ = router_statistics(self.constant, weights)
        found |= router | {f"constant_{name}": values for name, values in constant.items()}
        found["hull_gain_over_constant"] = found["hull_gain"] - found["constant_hull_gain"]
        return found, targets


def _best_single(table: ConfidenceTable) -> int | None:
    """The most accurate target on complete rows outside test, ties to the cheaper; None without such rows."""
    known = table.select(table.complete & (table.split != "test"))
    if len(known) == 0:
        return None
    points = PoolPoints.from_outcomes(known.correct, known.cost_usd, np.ones((1, len(known))))
    return int(points.best[0])
