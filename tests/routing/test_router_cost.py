"""What the router itself costs: in every cost of the router, in no choice, in no single target; 0 changes nothing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from prefillroute.errors import UserError
from prefillroute.outcomes.costs.prefill import prefill_cost
from prefillroute.routing.comparison import compare
from prefillroute.routing.contest import Contest
from prefillroute.routing.evaluation import evaluate
from prefillroute.routing.table import ConfidenceTable

GOLDEN = {
    "p_auccc": 0.22714417681670104,
    "mdp_auccc": 0.09666858232358469,
    "efficacy": 0.4964755533562512,
    "hull_gain": 0.11229671847505784,
    "hull_gain_step": 0.10369334946442943,
    "cost_at_best_single": 0.2448331492230828,
    "cost_savings": 0.5187622134633787,
    "paper_cost_savings": 0.45090828358898327,
    "cost_savings_lambda0": 0.37063254294733883,
    "routed_cost": 0.0013116654169967232,
    "routed_cost_lambda0": 0.001715408787701931,
    "routed_realised_cost": 0.0013156091998817974,
    "constant_hull_gain": 0.02534779495453454,
    "selection_hull_gain": 0.10160061659841824,
    "routed_cost_at_best_single": 0.001051922692553691,
}
"""Of the free table below, from before routers could cost anything."""


@pytest.fixture
def free(make_table) -> ConfidenceTable:
    return make_table(num_train=200, num_calibration=120, num_test=150, noise=0.6)


@pytest.fixture
def cost() -> np.ndarray:
    """USD of reading each of the 470 queries; about a third of what the cheapest target costs."""
    return 1e-6 * np.random.default_rng(5).uniform(1.0, 6.0, 470)


def measure(table: ConfidenceTable, num_resamples: int = 0) -> dict:
    return evaluate(table, num_resamples=num_resamples, grid_size=21).metrics


def test_nothing_changes_where_reading_is_free(free: ConfidenceTable) -> None:
    plain = measure(free, num_resamples=40)
    assert {key: plain["test"][key] for key in GOLDEN} == pytest.approx(GOLDEN, rel=1e-12)
    assert plain["test"]["router_cost"] == 0
    assert measure(replace(free, router_cost_usd=np.zeros(len(free))), num_resamples=40) == plain
    assert "router_cost_usd" not in free.to_frame().columns


def test_every_cost_of_the_router_has_it_and_no_other(free: ConfidenceTable, cost: np.ndarray) -> None:
    paid = replace(free, router_cost_usd=cost)
    before, after = (
        evaluate(free, num_resamples=0, grid_size=21),
        evaluate(paid, num_resamples=0, grid_size=21),
    )
    test = free.split == "test"
    mean = cost[test].mean()
    old, new = before.metrics["test"], after.metrics["test"]
    assert new["router_cost"] == pytest.approx(mean)
    for key in ("routed_cost", "routed_cost_lambda0", "paper_routed_cost", "routed_realised_cost_lambda0"):
        assert new[key] - old[key] == pytest.approx(mean, rel=1e-9)
    assert before.metrics["choice"] == after.metrics["choice"]
    assert before.metrics["cost_range"] == after.metrics["cost_range"]
    assert before.metrics["targets"] == after.metrics["targets"]
    for key, value in old.items():
        if key.startswith(
            ("constant_", "best_single", "cheapest", "dearest", "oracle", "random", "per_benchmark")
        ):
            assert new[key] == value, key
        if "accuracy" in key or "headroom" in key or key.endswith("auc") or key.endswith("_models"):
            assert new[key] == value, key
    curve = after.curve
    assert (curve["lambda"] == before.curve["lambda"]).all()
    assert curve["cost_usd"].to_numpy() == pytest.approx(
        before.curve["cost_usd"].to_numpy() + mean, rel=1e-12
    )
    assert new["cost_savings"] == pytest.approx(1 - new["routed_cost"] / new["dearest_cost"])
    enough = curve["accuracy"] >= new["best_single_accuracy"] - 1e-12
    assert new["cost_at_best_single"] == pytest.approx(
        curve["cost_usd"][enough].min() / new["best_single_cost"]
    )


def test_areas_and_hull_gain_by_brute_force(free: ConfidenceTable, cost: np.ndarray) -> None:
    paid = replace(free, router_cost_usd=cost)
    found = evaluate(paid, num_resamples=0, grid_size=21)
    new, curve = found.metrics["test"], found.curve
    least, most = new["cheapest_cost"], new["dearest_cost"]
    x = np.clip((1 / curve["cost_usd"] - 1 / most) / (1 / least - 1 / most), 0, 1)
    floor = new["cheapest_accuracy"]
    y = (curve["accuracy"] - floor) / (new["oracle_accuracy"] - floor)
    assert new["p_auccc"] == pytest.approx(x.iloc[0] * y.iloc[0] + np.trapezoid(y, x))
    assert x.max() < 1  # the router can no longer be as cheap as the cheapest target
    # Mixtures of the router's points and of what lambda = 1 does, which reads nothing: each query's cheapest target.
    test = paid.part("test")
    points = np.append(curve["cost_usd"], test.cost_usd.min(axis=1).mean())
    cheapest = test.cost_usd.argmin(axis=1)
    right = np.append(curve["accuracy"], test.correct[np.arange(len(test)), cheapest].mean())
    gains = []
    for budget in np.geomspace(least, new["best_single_cost"], 200) * (1 + 1e-9):
        router = best_mixture(points, right, budget)
        gains.append(router - best_mixture(test.cost_usd.mean(axis=0), test.correct.mean(axis=0), budget))
    assert new["hull_gain"] == pytest.approx(np.mean(gains), abs=1e-6)
    assert new["hull_gain"] < GOLDEN["hull_gain"]
    assert new["selection_hull_gain"] < GOLDEN["selection_hull_gain"]


def best_mixture(cost: np.ndarray, accuracy: np.ndarray, budget: float) -> float:
    """Greatest accuracy of one point within the budget, or of two mixed so that they cost exactly the budget."""
    within = cost <= budget
    share = (budget - cost[within])[:, None] / (cost[~within] - cost[within][:, None])
    mixed = accuracy[within][:, None] * (1 - share) + accuracy[~within] * share
    return max(float(accuracy[within].max()), float(mixed.max(initial=0.0)))


def test_where_every_query_goes_to_one_target_none_is_read(free: ConfidenceTable, cost: np.ndarray) -> None:
    paid = replace(free, router_cost_usd=cost)
    guarded = evaluate(paid, num_resamples=0, guard=99.0).metrics["test"]
    assert guarded["chosen_lambda"] is None
    assert guarded["routed_cost"] == pytest.approx(guarded["best_single_cost"], rel=1e-12)
    assert guarded["routed_cost_lambda0"] > measure(free)["test"]["routed_cost_lambda0"]


def test_a_router_that_costs_more_than_it_saves_is_not_chosen_for_its_cost(free: ConfidenceTable) -> None:
    single = measure(free)["test"]["best_single_cost"]
    dear = replace(free, router_cost_usd=np.full(len(free), single))
    made = [Contest.prepare(table, 21, None).router.choice for table in (free, dear)]
    assert made[0].at_best_single is not None
    assert made[1].at_best_single is None
    assert made[0].chosen == made[1].chosen


def test_intervals_and_paired_differences_have_it(free: ConfidenceTable, cost: np.ndarray) -> None:
    paid = replace(free, router_cost_usd=cost)
    low, high = measure(paid, num_resamples=50)["intervals"]["router_cost"]
    assert low < cost[free.split == "test"].mean() < high
    found = compare(paid, free, num_resamples=20)
    assert found["difference"]["routed_cost_lambda0"] == pytest.approx(cost[free.split == "test"].mean())
    assert found["difference"]["hull_gain"] < 0
    assert found["intervals"]["mean_auc"] == [0.0, 0.0]


def test_it_survives_predictions_parquet(free: ConfidenceTable, cost: np.ndarray) -> None:
    paid = replace(free, router_cost_usd=cost)
    queries = pd.DataFrame({"query_id": free.query_id, "benchmark": free.benchmark})
    again = ConfidenceTable.from_frame(paid.to_frame(), queries)
    assert (again.router_cost == cost).all()
    assert measure(again) == measure(paid)
    with pytest.raises(UserError, match="router_cost_usd of query 'q00000': expected a number of at least 0"):
        replace(free, router_cost_usd=-cost)


def test_a_price_needs_a_speed() -> None:
    tokens = np.array([100, 7200])
    assert prefill_cost(tokens, 1.8, 3600.0).tolist() == pytest.approx(
        [100 / 3600 * 1.8 / 3600, 2 * 1.8 / 3600]
    )
    assert (prefill_cost(tokens, 0.0, None) == 0).all()
    with pytest.raises(UserError, match=r"tokens_per_s: expected .* found null; or .*usd_per_hour=0"):
        prefill_cost(tokens, 1.8, None)
    with pytest.raises(UserError, match=r"usd_per_hour: expected a finite number of at least 0, found -1"):
        prefill_cost(tokens, -1.0, 5.0)
