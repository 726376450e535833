"""Changes of prices and of the order of targets, and the metrics that they must leave as they were."""

import json
import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefillroute.routing.evaluation import evaluate
from prefillroute.routing.table import ConfidenceTable
from tests.routing.toy_tables import build_table

USD = (
    r"(constant_)?(paper_)?"
    r"(routed|routed_realised|best_single|cheapest|dearest|random|oracle|per_benchmark_best)_cost.*"
)
"""USD per query."""
NAMES = r"best_single|cheapest|dearest"
"""Named targets: of equals the first in pool order."""
RATIOS = r"(constant_|selection_)?(paper_)?(p_auccc|mdp_auccc|efficacy|hull_gain|cost_savings|cost_at_best_single).*"
"""Metrics that look at a ratio (or a logarithm) of costs."""
FLOOR = r"(constant_)?(p_auccc|mdp_auccc|efficacy).*|(cheapest|dearest)_accuracy"
"""Metrics that look at the accuracy of the cheapest (dearest) target, which pool order names among equals."""
OVER_TARGETS = r"(constant_)?(mean_|selection_auc|selection_brier|random_|relative_auc).*"
"""Means over targets or over pairs of them: a target offered twice counts twice."""


@dataclass(frozen=True)
class Pool:
    """What a small pool is drawn from; prices are often equal and often nothing."""

    prices: list[float]
    num_queries: int
    by_length: bool
    """Whether costs vary by query."""
    seed: int

    def table(self) -> ConfidenceTable:
        generator = np.random.default_rng(self.seed)
        shape = (self.num_queries, len(self.prices))
        logit = generator.uniform(-1.0, 2.0, shape[1]) + generator.normal(size=shape)
        correct = (generator.random(shape) < 1 / (1 + np.exp(-logit))).astype(float)
        confidence = 1 / (1 + np.exp(-logit - generator.normal(size=shape)))
        length = generator.integers(1, 9, (self.num_queries, 1)) if self.by_length else 1.0
        return build_table(confidence, np.tile(self.prices, (self.num_queries, 1)) * length, correct)


POOLS = st.builds(
    Pool,
    prices=st.lists(st.sampled_from([0.0, 1e-4, 3e-4, 3e-4, 2e-2]), min_size=1, max_size=5),
    num_queries=st.sampled_from([31, 60]),
    by_length=st.booleans(),
    seed=st.integers(0, 1000),
)


def of_targets(table: ConfidenceTable, order: np.ndarray) -> ConfidenceTable:
    """The pool in another order, or with targets twice (under another name)."""
    names = [table.targets[index] for index in order]
    columns = ("confidence", "cost_usd", "realised_cost_usd", "correct")
    return replace(
        table,
        targets=tuple(name + "'" * names[:at].count(name) for at, name in enumerate(names)),
        **{name: getattr(table, name)[:, order] for name in columns},
    )


def numbers_of(table: ConfidenceTable) -> dict[str, Any]:
    """All global metrics; every null among them has a reason, and JSON can hold the rest (no infinity)."""
    metrics = evaluate(table, num_resamples=0, grid_size=21).metrics
    json.dumps(metrics, allow_nan=False)
    numbers = {
        f"{part}.{key}": metrics[part][key] for part in ("test", "disagreement") for key in metrics[part]
    }
    for key, value in numbers.items():
        assert value is not None or metrics["reasons"][key] != "undefined", key
    return numbers


def assert_same(
    found: dict[str, Any], expected: dict[str, Any], leave: str = "", scale: float = 1.0, shift: float = 0.0
) -> None:
    """The same but for the metrics left out; USD per query are scaled and shifted."""
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        name = key.partition(".")[2]
        if re.fullmatch(leave, name):
            continue
        if isinstance(value, float):
            moved = value * scale + shift if re.fullmatch(USD, name) else value
            value = pytest.approx(moved, rel=1e-6, abs=1e-9)
        assert found[key] == value, key


SOME = settings(max_examples=12, deadline=None)


@SOME
@given(POOLS, st.sampled_from([2.0**-20, 0.5, 4.0, 1024.0, 1 / 3, 1 / 7, 1000.0]))
def test_scaling_prices_scales_costs_and_nothing_else(pool: Pool, scale: float) -> None:
    table = pool.table()
    scaled = replace(
        table, cost_usd=table.cost_usd * scale, realised_cost_usd=table.realised_cost_usd * scale
    )
    assert_same(numbers_of(scaled), numbers_of(table), scale=scale)


@SOME
@given(POOLS, st.integers(0, 2**32 - 1))
def test_last_digits_of_costs_change_nothing(pool: Pool, seed: int) -> None:
    """Not even which of equal targets is named."""
    table = pool.table()
    noise = 1 + 1e-13 * np.random.default_rng(seed).uniform(-1, 1, table.cost_usd.shape)
    assert_same(numbers_of(replace(table, cost_usd=table.cost_usd * noise)), numbers_of(table))


@SOME
@given(POOLS, st.integers(0, 2**32 - 1))
def test_the_order_of_targets_only_decides_between_equals(pool: Pool, seed: int) -> None:
    """Any order: who is named, and the floor of the inverse-cost space. With equals in their old order: nothing."""
    table = pool.table()
    before = numbers_of(table)
    order = np.random.default_rng(seed).permutation(len(table.targets))
    assert_same(numbers_of(of_targets(table, order)), before, leave=f"{NAMES}|{FLOOR}")
    price = table.cost_usd[0, order]
    for value in np.unique(price):
        order[price == value] = np.sort(order[price == value])
    assert_same(numbers_of(of_targets(table, order)), before)


@SOME
@given(POOLS, st.lists(st.integers(0, 4), min_size=1, max_size=3, unique=True))
def test_a_target_offered_twice_changes_means_over_targets_only(pool: Pool, again: list[int]) -> None:
    table = pool.table()
    count = len(table.targets)
    twice = of_targets(table, np.array([*range(count), *(index % count for index in again)]))
    assert_same(numbers_of(twice), numbers_of(table), leave=OVER_TARGETS)


@SOME
@given(POOLS, st.sampled_from([1e-5, 3e-4, 0.1, 1.0]))
def test_a_constant_charge_per_query_moves_costs_and_their_ratios_only(pool: Pool, charge: float) -> None:
    table = pool.table()
    charged = replace(
        table, cost_usd=table.cost_usd + charge, realised_cost_usd=table.realised_cost_usd + charge
    )
    assert_same(numbers_of(charged), numbers_of(table), leave=RATIOS, shift=charge)
