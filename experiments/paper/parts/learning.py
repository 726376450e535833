"""How many labels a router needs: learning curves over training queries, and what doubling them still gains."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from experiments.paper.asked import Asked
from experiments.paper.figures.learning_curve import curve_drawing
from experiments.paper.measured import METRICS, OF_MANY, Number, Numbers, aligned, measure, with_costs
from experiments.paper.section import Section
from experiments.paper.sheet import Cell, Sheet
from experiments.paper.trained import Bench
from experiments.paper.wording import columns_of, gain_text, heading, value_text
from prefillroute.reports.catalogue import Metric
from prefillroute.reports.numbers import count, decimal

LEAST = 80
"""Training queries in the smallest subset, at least."""
SEEDS = 3
"""Subsets of each size."""
SETTINGS = ("trainer=quick", "mode=single", "layers=fixed")
ENOUGH = 0.9
"""Share of the AUC above 0.5 at which the note says that so many labels do."""
DRAWN = ("mean_auc", "relative_auc", "hull_gain")


@dataclass(frozen=True)
class Curve:
    """One router over sizes of its training part, rising."""

    by_seed: Mapping[int, tuple[Numbers, ...]]
    """By number of training queries: for each subset of this size, the numbers on the same test queries."""

    @property
    def sizes(self) -> list[int]:
        """Numbers of training queries, rising."""
        return sorted(self.by_seed)

    def at(self, size: int, key: str) -> Number:
        """The mean over subsets."""
        return Number.mean([numbers[key] for numbers in self.by_seed[size]])

    def spread(self, size: int, key: str) -> float | None:
        """Standard deviation over subsets; None of a single one."""
        values = [numbers[key].value for numbers in self.by_seed[size]]
        return float(np.std(values, ddof=1)) if len(values) > 1 else None

    def doubling(self, size: int, key: str) -> Number:
        """What the next size has more than this one, paired over the same test queries."""
        return self.at(self.sizes[self.sizes.index(size) + 1], key) - self.at(size, key)


def run(asked: Asked) -> Section:
    """Train on ever larger nested subsets of the training queries, and measure on the same test queries."""
    num_train = len(asked.data.split.train)
    sizes = halves(num_train)
    if len(sizes) < 2:
        said = f"{count(num_train)} training queries are too few to be halved: expected {2 * LEAST} or more."
        return Section("Learning curves", (), notes=(said,))
    curves, missing = measure_curves(asked, sizes)
    sheets = [doubling_sheet(curves), *(size_sheet(curves, metric) for metric in METRICS)]
    drawn = [metric for metric in METRICS if metric.key in DRAWN]
    drawing = curve_drawing("learning", f"{asked.pool}: what more labels gain", curves, drawn)
    notes = (*method(asked, sizes), *verdicts(curves), *missing)
    return Section("Learning curves", tuple(sheets), (drawing,), notes)


def halves(num_train: int) -> list[int]:
    """The whole training part, its half, its quarter and so on, rising.

    Example:
        >>> halves(1000)
        [125, 250, 500, 1000]
    """
    sizes = [num_train]
    while sizes[0] // 2 >= LEAST:
        sizes.insert(0, sizes[0] // 2)
    return sizes


def routers_of(asked: Asked) -> dict[str, tuple[str, ...]]:
    """Name and overrides of each router."""
    routers = {}
    for encoder in asked.encoders:
        prefill = ("signal=prefill", f"encoder={encoder}", *SETTINGS)
        routers[f"prefill {encoder}"] = ("head=shared_trunk", *prefill)
        routers[f"prefill {encoder}, logistic"] = ("head=logistic", *prefill)
    return {
        **routers,
        "sentence vectors": ("signal=embedding", "head=shared_trunk", *SETTINGS),
        "category prior": ("signal=category", "head=category_prior"),
    }


def measure_curves(asked: Asked, sizes: list[int]) -> tuple[dict[str, Curve], list[str]]:
    """Train every router on every subset, and measure it.

    Costs are those of the router on the whole training part, so that only the confidences differ.

    Returns:
        Curves by router, and why routers are missing.
    """
    bench, routers = Bench(asked, "learning", replaced=("layers",)), routers_of(asked)
    whole, missing = bench.tables(routers)
    num_resamples = min(asked.num_resamples, OF_MANY)
    found: dict[str, dict[int, tuple[Numbers, ...]]] = {router: {} for router in whole}
    for size in sizes[:-1]:
        tables = [
            {
                router: bench.table(
                    f"{router} on {size}, seed {seed}",
                    *routers[router],
                    f"split.max_train_queries={size}",
                    f"split.subset_seed={seed}",
                )
                for router in whole
            }
            for seed in range(SEEDS)
        ]
        for router, table in whole.items():
            test = table.part("test").query_id
            found[router][size] = tuple(
                measure(with_costs(aligned(each[router], test), table), num_resamples) for each in tables
            )
    for router, table in whole.items():
        found[router][sizes[-1]] = (measure(table.part("test"), num_resamples),)
    return {router: Curve(by_seed) for router, by_seed in found.items()}, missing


def size_sheet(curves: Mapping[str, Curve], metric: Metric) -> Sheet:
    """One metric of every router at every size."""
    rows, records = [], []
    sizes = next(iter(curves.values())).sizes
    for size in sizes:
        cells = [count(size)]
        for router, curve in curves.items():
            number, spread = curve.at(size, metric.key), curve.spread(size, metric.key)
            unit = 100 if metric.form(0.5).endswith("pp") else 1
            apart = "" if spread is None else f" ± {decimal(unit * spread, 2 if unit == 100 else 3)}"
            cells.append(f"{value_text(number, metric)}{apart}")
            record: dict[str, object] = {"training_queries": size, "router": router}
            records.append({**record, **columns_of("value", number), "deviation_over_subsets": spread})
        rows.append(tuple(map(Cell, cells)))
    return Sheet(
        f"learning_{metric.key}",
        f"{heading(metric)} over the number of training queries",
        ("training queries", *curves),
        tuple(rows),
        pd.DataFrame(records),
        f"Mean over {SEEDS} subsets. Brackets: 95 % over test queries. ±: standard deviation over subsets.",
    )


def doubling_sheet(curves: Mapping[str, Curve]) -> Sheet:
    """What each doubling gained in every metric, the last one first."""
    rows, records = [], []
    for router, curve in curves.items():
        for size, larger in reversed(list(zip(curve.sizes, curve.sizes[1:], strict=False))):
            gains = {metric.key: curve.doubling(size, metric.key) for metric in METRICS}
            name = f"{router}: {count(size)} to {count(larger)}"
            rows.append(
                tuple(map(Cell, (name, *(gain_text(gains[metric.key], metric) for metric in METRICS))))
            )
            records += [
                {"router": router, "from": size, "to": larger, "metric": key, **columns_of("gain", gain)}
                for key, gain in gains.items()
            ]
    return Sheet(
        "learning_doublings",
        "What each doubling of the training queries gained",
        ("router and sizes", *map(heading, METRICS)),
        tuple(rows),
        pd.DataFrame(records),
        f"Paired over the same test queries, at most {OF_MANY} resamples; * the 95 % interval excludes 0.",
    )


def method(asked: Asked, sizes: list[int]) -> list[str]:
    """How the subsets were taken and the routers trained."""
    calibration = len(asked.data.split.calibration)
    beside = f"; {count(calibration)} calibration queries come on top at every size" if calibration else ""
    test = count(len(asked.data.split.test))
    return [
        "Only the training part is cut down, by split.max_train_queries: stratified, duplicates together, and every "
        f"subset lies inside the larger ones of its seed. The {test} test queries are always the same{beside}.",
        f"{SEEDS} subsets of each size, one of {count(sizes[-1])}. Intervals are over test queries; they do not "
        "contain the chance of the subset, which the deviation over subsets shows.",
        "These routers have trainer=quick, and layers=fixed: a layer that was chosen with all labels would let small "
        "training parts see what they lack. On the whole part, the router of the other parts (its own trainer, probed "
        "layers) is a little better.",
    ]


def verdicts(curves: Mapping[str, Curve]) -> list[str]:
    """Whether each curve has flattened, and how many queries come near its end."""
    said = []
    metrics = {metric.key: metric for metric in METRICS}
    for router, curve in curves.items():
        size, last = curve.sizes[-2:]
        words = []
        for key in DRAWN:
            gain, metric = curve.doubling(size, key), metrics[key]
            sign = gain.sign if metric.better == "higher" else -gain.sign
            verdict = {1: "still rises", 0: "no rise is shown", -1: "falls"}[sign]
            words.append(f"{metric.words} {verdict} ({gain_text(gain, metric)})")
        reached = (curve.at(last, "mean_auc").value - 0.5) * ENOUGH + 0.5
        enough = next((size for size in curve.sizes if curve.at(size, "mean_auc").value >= reached), last)
        said.append(
            f"{router}, from {count(size)} to {count(last)} training queries: {'; '.join(words)}. "
            f"{100 * ENOUGH:.0f} % of its AUC above 0.5 is reached with {count(enough)}."
        )
    return said
