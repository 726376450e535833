"""The router and its baselines on one set of test rows, so that all of them meet the same resamples."""

from dataclasses import dataclass, replace

import numpy as np

from prefillroute.errors import UserError
from prefillroute.metrics.pool_points import PoolPoints
from prefillroute.routing.baselines import constant_confidence, per_benchmark_best
from prefillroute.routing.guard import GUARD
from prefillroute.routing.sample import Sample
from prefillroute.routing.statistics.view import ContestView
from prefillroute.routing.table import ConfidenceTable

# N = test queries, M = targets, B = resamples


@dataclass(frozen=True)
class Contest:
    """A router and the baselines that are measured on the same test rows."""

    router: Sample
    constant: Sample
    benchmark_choice: np.ndarray
    """(N,) target per test query, the best of its benchmark in training."""
    choice_rows: ConfidenceTable
    """The router on the rows on which lambda is chosen: calibration rows or, without any, out-of-fold rows."""
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
            same = np.broadcast_to(constant, part.confidence.shape).copy()
            return replace(part, confidence=same, router_cost_usd=None)  # it reads no query

        best = _best_single(table) if guard > 0 else None
        router = Sample.prepare(test, choice_rows, cost_range, grid_size, guard, best)
        return cls(
            router,
            Sample.prepare(flat(test), flat(choice_rows), cost_range, grid_size, guard, best),
            per_benchmark_best(learned, test.benchmark),
            choice_rows,
            notes,
        )

    def under(self, weights: np.ndarray) -> ContestView:
        """Look at both routers under B sets of query weights (B, N)."""
        return ContestView(self.router, self.constant, self.benchmark_choice, weights)


def _best_single(table: ConfidenceTable) -> int | None:
    """The most accurate target on complete rows outside test, ties to the cheaper; None without such rows."""
    known = table.select(table.complete & (table.split != "test"))
    if len(known) == 0:
        return None
    points = PoolPoints.from_outcomes(known.correct, known.cost_usd, np.ones((1, len(known))))
    return int(points.best[0])
