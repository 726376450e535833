"""What a router has to beat: predictors and choices that never read the query, learned on training rows."""

import numpy as np

from prefillroute.metrics.equal_costs import first_cheapest
from prefillroute.metrics.ratio import NOTHING
from prefillroute.routing.table import ConfidenceTable

# N = queries, M = targets


def constant_confidence(correct: np.ndarray) -> np.ndarray:
    """Each target's training accuracy, the "no skill" predictor (DESIGN section 5): (M,).

    Args:
        correct: (N, M) outcomes of the training rows, NaN = missing; a target without outcomes gets the overall mean.

    Example:
        >>> constant_confidence(np.array([[1.0, 0.0], [1.0, np.nan]]))
        array([1., 0.])
    """
    observed = ~np.isnan(correct)
    count = observed.sum(axis=0)
    total = np.where(observed, correct, 0.0).sum(axis=0)
    overall = total.sum() / max(int(count.sum()), 1)
    return np.divide(total, count, out=np.full(len(count), overall), where=count > 0)


def per_benchmark_best(training: ConfidenceTable, benchmark: np.ndarray) -> np.ndarray:
    """Choose for each query (N,) the target that was most accurate on its benchmark in training: (N,).

    Ties go to the target that is cheaper on average, then to pool order. A benchmark without training rows gets the
    target that was most accurate over all training rows.
    """
    cost = training.cost_usd.mean(axis=0)
    choice = np.full(len(benchmark), _most_accurate(constant_confidence(training.correct), cost))
    for name in set(benchmark.tolist()):
        rows = training.benchmark == name
        if rows.any():
            choice[benchmark == name] = _most_accurate(constant_confidence(training.correct[rows]), cost)
    return choice


def _most_accurate(accuracy: np.ndarray, cost: np.ndarray) -> int:
    return int(first_cheapest(cost, accuracy >= accuracy.max() - NOTHING))
