"""The guarded choice of lambda, by brute force over the frontier's own points, and what is reported of it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import sem

from prefillroute.errors import UserError
from prefillroute.metrics.bootstrap import resample_weights
from prefillroute.routing.comparison import compare
from prefillroute.routing.evaluation import evaluate
from prefillroute.routing.frontier import exact_frontier
from prefillroute.routing.guard import GUARD, choose_lambdas
from prefillroute.routing.policies.lambda_policy import LambdaPolicy
from prefillroute.routing.table import ConfidenceTable

GUARDS = [0.0, 0.5, 1.0, 2.0]


def cost_range(table: ConfidenceTable) -> tuple[float, float]:
    train = table.part("train_oof")
    return float(train.cost_usd.min()), float(train.cost_usd.max())


def by_hand(rows: ConfidenceTable, ends: tuple[float, float], guard: float) -> dict[str, object]:
    """Route at every operating point again, and follow the rule word by word."""
    lambdas = exact_frontier(rows.confidence, rows.cost_usd, rows.correct, ends).lambda_
    mean, price = rows.correct.mean(axis=0), rows.cost_usd.mean(axis=0)
    best = min(range(len(rows.targets)), key=lambda m: (-round(mean[m], 9), price[m], m))
    points = []
    for lambda_ in lambdas:
        choice = LambdaPolicy(lambda_).choose(rows.confidence, rows.cost_usd, ends)
        index = np.arange(len(rows))
        gains = rows.correct[index, choice] - rows.correct[:, best]
        points.append((gains.mean(), sem(gains), rows.cost_usd[index, choice].mean()))
    top = min(range(len(points)), key=lambda s: (-round(points[s][0], 9), points[s][2]))
    if guard == 0:
        chosen: float | None = lambdas[top]
        enough = [s for s, (gain, _, _) in enumerate(points) if gain > -1e-9]
        cheap = min(enough, key=lambda s: points[s][2]) if enough else None
    else:
        clears = [gain > guard * error + 1e-9 for gain, error, _ in points]
        chosen = lambdas[top] if clears[top] else None
        cheap = None
        if clears[top]:
            cheap = top
            while cheap + 1 < len(points) and clears[cheap + 1]:
                cheap += 1
            if points[cheap][2] > price[best] * (1 + 1e-9):
                cheap = None
    return {
        "best": best,
        "gain": points[top][0],
        "standard_error": points[top][1],
        "chosen": chosen,
        "at_best_single": None if cheap is None else lambdas[cheap],
    }


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("noise", [0.3, 2.0, 5.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_choice_by_brute_force(make_table, guard: float, noise: float, seed: int) -> None:
    table = make_table(num_train=150, num_test=1, noise=noise, seed=seed)
    rows, ends = table.part("train_oof"), cost_range(table)
    expected = by_hand(rows, ends, guard)
    found = choose_lambdas(exact_frontier(rows.confidence, rows.cost_usd, rows.correct, ends), guard)
    assert found.num_rows == 150
    assert found.best_single == expected["best"]
    assert found.most_accurate.gain == pytest.approx(expected["gain"])
    assert found.most_accurate.standard_error == pytest.approx(expected["standard_error"])
    for name, evidence in (("chosen", found.chosen), ("at_best_single", found.at_best_single)):
        assert (None if evidence is None else evidence.lambda_) == expected[name], name
    assert found.fallback == (found.best_single if guard else None)


def test_the_cases_above_hold_every_outcome(make_table) -> None:
    """Guard open and shut; a cheaper point than the most accurate one; none that is cheap enough."""
    seen = set()
    for noise in (0.3, 2.0, 5.0):
        for seed in (0, 1):
            table = make_table(num_train=150, num_test=1, noise=noise, seed=seed)
            for guard in GUARDS:
                found = by_hand(table.part("train_oof"), cost_range(table), guard)
                cheaper = found["chosen"] is not None and found["at_best_single"] not in (
                    None,
                    found["chosen"],
                )
                seen.add((guard > 0, found["chosen"] is not None, cheaper))
    assert seen >= {(True, True, True), (True, False, False), (False, True, True), (False, True, False)}


def four_queries(
    confidence: list[list[float]], correct: list[list[float]], cost: list[float]
) -> ConfidenceTable:
    """The same rows to choose on and to test on."""
    number = 2 * len(correct)
    return ConfidenceTable(
        query_id=np.array([f"q{row}" for row in range(number)], dtype=object),
        split=np.repeat(np.array(["train_oof", "test"], dtype=object), len(correct)),
        benchmark=np.full(number, "b", dtype=object),
        targets=tuple("abc"[: len(cost)]),
        confidence=np.tile(np.array(confidence, float), (2, 1)),
        cost_usd=np.tile(np.array(cost, float), (number, 1)),
        realised_cost_usd=np.full((number, len(cost)), np.nan),
        correct=np.tile(np.array(correct, float), (2, 1)),
    )


def test_savings_at_the_best_singles_accuracy_are_the_greatest_there_are() -> None:
    """Four queries, a costs 1 and b 4; b is right on all, a on three, and the confidences know on which."""
    table = four_queries(
        [[0.9, 0.9], [0.8, 0.9], [0.7, 0.9], [0.1, 0.9]], [[1, 1], [1, 1], [1, 1], [0, 1]], [1.0, 4.0]
    )
    found = evaluate(table, num_resamples=0, guard=0.0).metrics["test"]
    # Three queries to a and one to b: as accurate as b alone, for (3 + 4) / 4 of its 4.
    assert found["routed_cost_at_best_single"] == 1.75
    assert found["cost_savings_at_best_single"] == 1 - 1.75 / 4
    assert found["routed_accuracy_at_best_single"] == found["best_single_accuracy"] == 1.0
    assert 0.9 - 0.7 < found["lambda_at_best_single"] / (1 - found["lambda_at_best_single"]) < 0.9 - 0.1
    # Nothing is gained on b, so that the guard keeps b, also where a would have been as good and cheaper.
    metrics = evaluate(table, num_resamples=0).metrics
    found = metrics["test"]
    assert found["routed_cost_at_best_single"] == found["routed_cost"] == 4.0
    assert found["lambda_at_best_single"] is found["chosen_lambda"] is None
    assert metrics["choice"]["at_best_single"] == metrics["choice"]["chosen"] == {"target": "b"}


def test_without_evidence_every_number_is_the_best_singles(make_table) -> None:
    """The best single target is that of all rows that are not test, whatever it is worth on test."""
    table = make_table(num_train=100, num_calibration=20, noise=4.0, seed=56, missing=0.02)
    calibration, test = table.part("calibration"), table.part("test")
    calibration = calibration.select(calibration.complete)
    metrics = evaluate(table, num_resamples=0, guard=3.0).metrics
    seen = table.select(table.complete & (table.split != "test")).correct.mean(axis=0)
    best = int(seen.argmax())
    assert best != calibration.correct.mean(axis=0).argmax()
    assert best != np.nanmean(test.correct, axis=0).argmax()
    name = table.targets[best]
    assert metrics["choice"]["rows"] == "calibration"
    assert metrics["choice"]["num_rows"] == len(calibration) < 20
    assert metrics["choice"]["best_single"] == name
    assert metrics["choice"]["chosen"] == metrics["choice"]["at_best_single"] == {"target": name}
    found, whole = metrics["test"], test.select(test.complete)
    accuracy, cost = whole.correct.mean(axis=0), whole.cost_usd.mean(axis=0)
    assert found["chosen_lambda"] is None
    assert "policy.guard" in metrics["reasons"]["test.chosen_lambda"]
    for suffix in ("", "_at_best_single"):
        assert found[f"routed_accuracy{suffix}"] == pytest.approx(accuracy[best])
        assert found[f"routed_cost{suffix}"] == pytest.approx(cost[best])
        assert found[f"cost_savings{suffix}"] == pytest.approx(1 - cost[best] / cost.max())
        assert found[f"accuracy_gain{suffix}"] == pytest.approx(accuracy[best] - accuracy.max())
        assert found[f"headroom_captured{suffix}"] == pytest.approx(
            (accuracy[best] - accuracy.max()) / (whole.correct.max(axis=1).mean() - accuracy.max())
        )
    entry = metrics["targets"][name]
    assert (entry["share"], entry["accuracy_routed_away"], entry["routing_delta"]) == (1.0, None, None)
    assert entry["accuracy_routed_to"] == pytest.approx(np.nanmean(test.correct[:, best]))
    assert all(other["share"] == 0.0 for target, other in metrics["targets"].items() if target != name)


def test_the_evidence_is_written_down(make_table) -> None:
    table = make_table(noise=0.2)
    rows, ends = table.part("train_oof"), cost_range(table)
    expected = by_hand(rows, ends, GUARD)
    metrics = evaluate(table, num_resamples=0).metrics
    choice = metrics["choice"]
    assert (choice["rows"], choice["num_rows"], choice["guard"]) == ("train_oof", len(rows), GUARD)
    assert choice["chosen"] == choice["most_accurate"]
    assert choice["chosen"]["lambda"] == metrics["test"]["chosen_lambda"] == expected["chosen"]
    assert choice["chosen"]["gain"] == pytest.approx(expected["gain"])
    assert choice["chosen"]["standard_error"] == pytest.approx(expected["standard_error"])
    assert choice["at_best_single"]["lambda"] == metrics["test"]["lambda_at_best_single"]
    without = evaluate(table.part("test"), num_resamples=0).metrics
    assert without["choice"] is None
    assert without["reasons"]["choice"] == without["reasons"]["test.chosen_lambda"]


def test_one_query_is_no_evidence(make_table) -> None:
    table = make_table(num_train=1, num_test=20)
    correct = table.correct.copy()
    correct[0] = [1, 0, 0, 0, 0]
    found = evaluate(replace(table, correct=correct), num_resamples=0).metrics
    assert found["choice"]["most_accurate"]["standard_error"] is None
    assert "single query" in found["reasons"]["choice.most_accurate.standard_error"]
    assert found["choice"]["chosen"] == {"target": "target-0"}


def test_a_target_that_is_right_where_the_others_are_wrong_is_evidence() -> None:
    """Eight queries, two of three targets equally good, each on its half: the router is right on all of them."""
    half = [[1, 0], [0, 1]] * 4
    metrics = evaluate(four_queries(half, half, [1.0, 2.0]), num_resamples=0, guard=2.0).metrics
    # Gain: 1 on four queries, 0 on four; standard error sqrt(0.25 * 8 / 7 / 8).
    assert metrics["choice"]["chosen"]["gain"] == 0.5
    assert metrics["choice"]["chosen"]["standard_error"] == pytest.approx(np.sqrt(0.25 / 7))
    assert metrics["test"]["headroom_captured"] == 1.0
    shut = evaluate(four_queries(half, half, [1.0, 2.0]), num_resamples=0, guard=2.7).metrics
    assert shut["choice"]["chosen"] == {"target": "a"}


def test_a_comparison_chooses_under_the_same_guard(make_table) -> None:
    table, other = make_table(noise=4.0, seed=3), make_table(noise=0.2, seed=3)
    for guard in (0.0, 3.0):
        alone = [evaluate(each, num_resamples=0, guard=guard).metrics["test"] for each in (table, other)]
        found = compare(table, other, num_resamples=0, guard=guard)
        for key in ("routed_accuracy", "routed_cost"):
            assert found["difference"][key] == pytest.approx(alone[0][key] - alone[1][key])


@pytest.mark.parametrize("guard", [-1.0, float("nan"), float("inf")])
def test_a_senseless_guard_is_refused(make_table, guard: float) -> None:
    for call in (lambda: evaluate(make_table(), guard=guard), lambda: LambdaPolicy(0.3, guard=guard)):
        with pytest.raises(UserError, match=r"policy\.guard: expected a number of at least 0"):
            call()
    with pytest.raises(UserError, match=r"policy\.guard"):
        compare(make_table(), make_table(), guard=guard)


def undefined(values: np.ndarray) -> bool:
    return bool(np.isnan(values).all())


def test_every_number_of_a_target_has_an_interval(make_table) -> None:
    """All but the count of its rows; by hand over the same resamples."""
    table = make_table(num_train=100, num_test=80, missing=0.1)
    metrics = evaluate(table, num_resamples=40, seed=5, guard=0.0).metrics
    test = table.part("test")
    for target, entry in metrics["targets"].items():
        for key in entry.keys() - {"num_rows"}:
            assert f"targets.{target}.{key}" in metrics["intervals"], key
        assert f"targets.{target}.num_rows" not in metrics["intervals"]
    found = {"_lambda0": 0.0, "": metrics["test"]["chosen_lambda"]}
    (weights,) = resample_weights(80, 40, seed=5)
    for suffix, lambda_ in found.items():
        choice = LambdaPolicy(lambda_).choose(test.confidence, test.cost_usd, tuple(metrics["cost_range"]))
        for m, target in enumerate(table.targets):
            drawn: dict[str, list[float]] = {}
            for counts in weights.astype(int):
                rows = np.repeat(np.arange(80), counts)
                right, cost, to_it = test.correct[rows, m], test.cost_usd[rows, m], choice[rows] == m
                there = ~np.isnan(right)
                to, away = right[to_it & there], right[~to_it & there]
                means = [
                    part.mean() if len(part) else np.nan for part in (to, away, cost[to_it], cost[~to_it])
                ]
                values = (to_it.mean(), *means[:2], means[0] - means[1], *means[2:], right[there].mean())
                names = (
                    f"share{suffix}", f"accuracy_routed_to{suffix}", f"accuracy_routed_away{suffix}",
                    f"routing_delta{suffix}", f"cost_routed_to{suffix}", f"cost_routed_away{suffix}", "accuracy",
                )  # fmt: skip
                for name, value in zip(names, values, strict=True):
                    drawn.setdefault(name, []).append(value)
            for name, sample in drawn.items():
                ends = metrics["intervals"][f"targets.{target}.{name}"]
                if undefined(np.array(sample)):
                    assert ends is None
                    continue
                ordered = np.sort(np.array(sample)[~np.isnan(sample)])
                low, high = (int(f((len(ordered) - 1) * q)) for f, q in ((np.floor, 0.025), (np.ceil, 0.975)))
                assert ends == pytest.approx([ordered[low], ordered[high]]), (target, name)
