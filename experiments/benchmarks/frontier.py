"""Wall time of the exact lambda sweep, of a uniform grid recomputed by argmax, and of the bootstrap, in one run.

    python experiments/benchmarks/frontier.py

Synthetic tables of the size of the paper's pools (14,469 queries x 20 targets) and of mmlu_pro_all's test part
(1,792 queries x 33 targets, 8,957 training queries).
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

from prefillroute.routing.evaluation import evaluate
from prefillroute.routing.frontier import exact_frontier
from prefillroute.routing.lambda_sweep import uniform_sweep
from prefillroute.routing.table import ConfidenceTable
from prefillroute.text.printing import say


def synthetic_table(num_train: int, num_test: int, num_targets: int, seed: int = 0) -> ConfidenceTable:
    """Draw targets of different skill and price, and a predictor that knows the chances exactly."""
    generator = np.random.default_rng(seed)
    shape = (num_train + num_test, num_targets)
    logit = generator.normal(size=num_targets) + generator.normal(size=(shape[0], 1))
    chance = 1.0 / (1.0 + np.exp(-(logit + 0.7 * generator.normal(size=shape))))
    price = 1e-4 * np.exp(1.5 * generator.normal(size=num_targets))
    cost = price * np.exp(0.5 * generator.normal(size=(shape[0], 1)))
    return ConfidenceTable(
        query_id=np.array([f"q{row}" for row in range(shape[0])], dtype=object),
        split=np.array(["train_oof"] * num_train + ["test"] * num_test, dtype=object),
        benchmark=np.array([f"subject {row % 14}" for row in range(shape[0])], dtype=object),
        targets=tuple(f"target {index}" for index in range(num_targets)),
        confidence=chance,
        cost_usd=cost,
        realised_cost_usd=cost,
        correct=(generator.random(shape) < chance).astype(float),
    )


def fastest(run: Callable[[], object], repeats: int) -> float:
    """Least wall time in seconds of several runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print the three figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=14_469)
    parser.add_argument("--targets", type=int, default=20)
    parser.add_argument("--grid", type=int, default=101)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()

    table = synthetic_table(0, arguments.queries, arguments.targets)
    confidence, cost, correct = table.confidence, table.cost_usd, table.correct
    cost_range = (float(cost.min()), float(cost.max()))
    first = time.perf_counter()
    frontier = exact_frontier(confidence, cost, correct, cost_range)
    first = time.perf_counter() - first
    exact = fastest(lambda: exact_frontier(confidence, cost, correct, cost_range), arguments.repeats)

    def grid() -> None:
        choice = uniform_sweep(confidence, cost, cost_range, arguments.grid)
        for values in (cost, correct):
            np.take_along_axis(values, choice, axis=1).mean(axis=0)

    uniform = fastest(grid, arguments.repeats)
    size = f"{arguments.queries:,} queries x {arguments.targets} targets"
    say(f"exact sweep, {size}: {exact:.3f} s (first call {first:.3f} s), {len(frontier):,} operating points")
    say(
        f"uniform grid of {arguments.grid} by argmax: {uniform:.3f} s, {uniform / exact:.1f}x the exact sweep's time"
    )

    headline = synthetic_table(8_957, 1_792, 33)
    point = fastest(lambda: evaluate(headline, num_resamples=0), 1)
    whole = fastest(lambda: evaluate(headline, num_resamples=arguments.resamples), 1)
    say(
        f"evaluate, 1,792 test queries x 33 targets: {point:.1f} s without intervals, {whole:.1f} s with "
        f"{arguments.resamples} resamples of every metric (528 pairs of relative AUC included)"
    )


if __name__ == "__main__":
    main()
