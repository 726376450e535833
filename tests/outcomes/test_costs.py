import functools
import statistics
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls
from sklearn.linear_model import HuberRegressor

from prefillroute.config.facts import TargetConfig
from prefillroute.errors import UserError
from prefillroute.outcomes.costs.gpu_time import GpuTimeCost
from prefillroute.outcomes.costs.line import fit_lines
from prefillroute.outcomes.costs.observed import ObservedCost
from prefillroute.outcomes.costs.tokens import TokenCost
from prefillroute.outcomes.prices import check_prices
from prefillroute.outcomes.table import Outcomes

NAN = np.nan


def targets_of(num: int, **facts: object) -> list[TargetConfig]:
    return [TargetConfig(f"m{j}", price_in=1.0 + j, price_out=10.0 - j, **facts) for j in range(num)]


def test_line_is_exact_despite_outliers():
    rng = np.random.default_rng(0)
    x = rng.integers(5, 400, 300).astype(float)
    y = np.stack([120 + 1.3 * x, 0.9 * x, np.full(300, 77.0)], axis=1)
    y[:30, 0] += 5000  # a tenth of the prompts had a document attached
    y[40:60, 1] = NAN
    overhead, slope = fit_lines(x, y)
    np.testing.assert_allclose(overhead, [120, 0, 77], atol=1e-6)
    np.testing.assert_allclose(slope, [1.3, 0.9, 0], atol=1e-8)


def test_line_equals_scikit_learns_huber():
    rng = np.random.default_rng(1)
    x = rng.integers(5, 400, 2000).astype(float)
    noise = rng.normal(0, 20, 2000) + np.where(rng.random(2000) < 0.1, 400, 0)
    y = 300 + 1.1 * x + noise
    overhead, slope = fit_lines(x, y[:, None])
    theirs = HuberRegressor(alpha=0, epsilon=1.345, max_iter=1000).fit(x[:, None], y)
    assert slope[0] == pytest.approx(theirs.coef_[0], abs=0.01)
    assert overhead[0] == pytest.approx(theirs.intercept_, abs=4)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 60))
def test_line_is_never_negative(seed, num):
    rng = np.random.default_rng(seed)
    x = rng.integers(1, 50, num).astype(float)
    y = np.abs(rng.normal(100, 60, (num, 3))) * rng.choice([1.0, 1 / 50, 1 / x.mean()])
    y[rng.random(y.shape) < 0.2] = NAN
    overhead, slope = fit_lines(x, y)
    assert (overhead >= 0).all()
    assert (slope >= 0).all()
    assert np.isfinite(overhead + slope).all()


def test_constrained_line_equals_nnls():
    # Without outliers Huber is least squares, and nnls is least squares with both terms held at 0 or above.
    x = np.arange(1.0, 41.0)
    for y in (200 - 3 * x, -30 + 4 * x, 5 + 2 * x):
        near = np.abs(y) + 0.01 * np.sin(x)
        near = np.sort(near)[::-1] if y[0] > y[-1] else near
        overhead, slope = fit_lines(x, near[:, None])
        wanted, _ = nnls(np.stack([np.ones_like(x), x], axis=1), near)
        np.testing.assert_allclose([overhead[0], slope[0]], wanted, rtol=0.15, atol=2)


def test_unknown_prompt_tokens_are_the_bare_query():
    overhead, slope = fit_lines(np.array([3.0, 9.0]), np.full((2, 1), NAN))
    assert (overhead[0], slope[0]) == (0.0, 1.0)


def test_token_cost_is_equation_2(table):
    outcomes = table(num_queries=50, num_targets=3)
    train = np.arange(0, 40)
    targets = targets_of(3)
    query_tokens = np.arange(50.0) + 5
    cost = TokenCost().fit(outcomes, train, targets, query_tokens)
    medians = np.array([np.median(outcomes.completion_tokens[train, m]) for m in range(3)])
    wanted = np.array(
        [
            [(outcomes.prompt_tokens[q, m] * (1 + m) + medians[m] * (10 - m)) / 1e6 for m in range(3)]
            for q in range(50)
        ]
    )
    np.testing.assert_allclose(
        cost.estimate(len(query_tokens), query_tokens, outcomes.prompt_tokens), wanted, rtol=1e-12
    )
    assert cost.cost_range_ == pytest.approx((wanted[train].min(), wanted[train].max()))
    new = cost.estimate(2, np.array([7.0, 300.0]))
    sent = cost.overhead_ + cost.slope_ * np.array([[7.0], [300.0]])
    np.testing.assert_allclose(new, (sent * [1, 2, 3] + medians * [10, 9, 8]) / 1e6)
    np.testing.assert_array_equal(cost.realised(outcomes), outcomes.cost_usd)
    unbilled = replace(outcomes, cost_usd=np.full_like(outcomes.cost_usd, NAN))
    np.testing.assert_allclose(
        cost.realised(unbilled),
        (outcomes.prompt_tokens * [1, 2, 3] + outcomes.completion_tokens * [10, 9, 8]) / 1e6,
    )


def test_known_prompt_tokens_replace_the_line_cell_by_cell(table):
    outcomes = table(num_queries=30)
    query_tokens = np.full(30, 20.0)
    cost = TokenCost().fit(outcomes, np.arange(30), targets_of(3), query_tokens)
    some = outcomes.prompt_tokens.copy()
    some[::2] = NAN
    mixed = cost.estimate(len(query_tokens), query_tokens, some)
    np.testing.assert_array_equal(mixed[::2], cost.estimate(len(query_tokens), query_tokens)[::2])
    np.testing.assert_array_equal(
        mixed[1::2], cost.estimate(len(query_tokens), query_tokens, outcomes.prompt_tokens)[1::2]
    )


def test_without_an_encoder_the_median_prompt_stands_in(table):
    outcomes = table(num_queries=30)
    cost = TokenCost().fit(outcomes, np.arange(30), targets_of(3), None)
    missing = np.full((2, 3), NAN)
    wanted = np.median(outcomes.prompt_tokens, axis=0) * [1, 2, 3] + cost.completion_tokens_ * [10, 9, 8]
    np.testing.assert_allclose(cost.estimate(2, None, missing), np.tile(wanted / 1e6, (2, 1)))


def test_targets_without_tokens_or_price_take_their_observed_median(table):
    outcomes = table(num_queries=30)
    tokens = outcomes.completion_tokens.copy()
    tokens[:, 1] = NAN
    targets = targets_of(3)
    targets[2] = TargetConfig("m2")
    outcomes = replace(outcomes, completion_tokens=tokens)
    train = np.arange(20)
    cost = TokenCost().fit(outcomes, train, targets, np.full(30, 10.0))
    estimate = cost.estimate(4, np.full(4, 10.0))
    np.testing.assert_allclose(
        estimate[:, 1:], np.tile(np.median(outcomes.cost_usd[train, 1:], axis=0), (4, 1))
    )
    assert np.isfinite(estimate).all()

    no_bill = replace(outcomes, cost_usd=np.full_like(outcomes.cost_usd, NAN))
    with pytest.raises(
        UserError,
        match=r"target 'm1': expected prices and .*, found prices but no token counts.*pool.exclude=\[m1\]",
    ):
        TokenCost().fit(no_bill, train, targets, np.full(30, 10.0))
    unpriced = replace(table(num_queries=30), cost_usd=np.full((30, 3), NAN))
    with pytest.raises(
        UserError, match=r"target 'm2': expected prices and .*, found no prices and no cost_usd"
    ):
        TokenCost().fit(unpriced, train, targets, np.full(30, 10.0))


def test_observed_cost(table):
    outcomes = table(num_queries=30)
    bills = outcomes.cost_usd.copy()
    bills[3] = NAN
    outcomes = replace(outcomes, cost_usd=bills)
    cost = ObservedCost().fit(outcomes, np.arange(20), targets_of(3))
    medians = np.nanmedian(bills[:20], axis=0)
    np.testing.assert_allclose(cost.estimate(2, np.ones(2)), np.tile(medians, (2, 1)))
    assert cost.cost_range_ == pytest.approx((medians.min(), medians.max()))
    np.testing.assert_array_equal(cost.realised(outcomes), bills)
    bills[:, 2] = NAN
    with pytest.raises(
        UserError, match=r"target 'm2': expected cost_usd .*, found none; .*pool.exclude=\[m2\]"
    ):
        ObservedCost().fit(outcomes, np.arange(20), targets_of(3))


def test_gpu_time(table):
    outcomes = table(num_queries=30)
    outcomes = replace(outcomes, latency_s=outcomes.ttft_s + 0.02 * outcomes.completion_tokens)
    cost = GpuTimeCost(gpu_usd_per_hour=3.6).fit(outcomes, np.arange(30), targets_of(3, gpus=2))
    seconds = np.median(outcomes.ttft_s, axis=0) + np.median(outcomes.completion_tokens, axis=0) * 0.02
    np.testing.assert_allclose(cost.estimate(1, np.ones(1))[0], seconds * 0.002, rtol=1e-9)
    np.testing.assert_allclose(cost.realised(outcomes), outcomes.latency_s * 0.002)

    no_tokens = replace(outcomes, completion_tokens=np.full((30, 3), NAN))
    cost = GpuTimeCost(3.6).fit(no_tokens, np.arange(30), targets_of(3, gpus=1))
    np.testing.assert_allclose(cost.estimate(1, np.ones(1))[0], np.median(outcomes.latency_s, axis=0) * 0.001)
    with pytest.raises(UserError, match=r"target 'm0': expected gpus of at least 1.*, found gpus=None"):
        GpuTimeCost(3.6).fit(outcomes, np.arange(30), targets_of(3))
    silent = replace(outcomes, latency_s=np.full((30, 3), NAN))
    with pytest.raises(UserError, match=r"target 'm0': expected latency_s .*, found none"):
        GpuTimeCost(3.6).fit(silent, np.arange(30), targets_of(3, gpus=1))
    with pytest.raises(UserError, match=r"cost.gpu_usd_per_hour: expected USD above 0, found nan"):
        GpuTimeCost(NAN)


def alike(num: int, seconds: float = 10.0, tokens: float = 100.0, ttft: float = 5.0) -> Outcomes:
    """`num` calls of 2 targets, every one like the other; 40 tokens sent, 0.003 USD paid (at list price)."""
    queries = pd.DataFrame(
        {"query_id": [f"q{i}" for i in range(num)], "benchmark": "b", "category": "c", "prompt": "p"}
    )
    full = functools.partial(np.full, (num, 2))
    return Outcomes(
        queries, ("m0", "m1"), full(1.0), full(40.0), full(tokens), full(seconds), full(ttft), full(0.003)
    )


def test_first_token_recorded_for_some_calls_is_not_counted_twice():
    outcomes = alike(50)
    outcomes.ttft_s[10:] = NAN
    cost = GpuTimeCost(3600.0).fit(outcomes, np.arange(50), targets_of(2, gpus=1))
    np.testing.assert_allclose(cost.estimate(1, np.ones(1)), [[10.0, 10.0]])


def test_gpu_time_takes_each_median_where_it_is_known():
    """Ten of 21 calls have no first token; by hand from the definition, call by call."""
    rng = np.random.default_rng(5)
    outcomes = alike(21)
    outcomes.ttft_s[:] = rng.uniform(0.1, 4, (21, 2))
    outcomes.completion_tokens[:] = rng.integers(1, 300, (21, 2))
    outcomes.latency_s[:] = outcomes.ttft_s + rng.uniform(0.01, 0.1, (21, 2)) * outcomes.completion_tokens
    outcomes.ttft_s[:10] = NAN
    outcomes.completion_tokens[12] = NAN
    outcomes.latency_s[14] = NAN
    wanted = []
    for m in range(2):
        calls = list(
            zip(
                outcomes.ttft_s[:, m], outcomes.completion_tokens[:, m], outcomes.latency_s[:, m], strict=True
            )
        )
        first = statistics.median(f for f, _, _ in calls if f == f)
        tokens = statistics.median(o for _, o, _ in calls if o == o)
        gaps = statistics.median((s - f) / o for f, o, s in calls if f == f and o == o and s == s)
        wanted.append(first + tokens * gaps)
    cost = GpuTimeCost(3600.0).fit(outcomes, np.arange(21), targets_of(2, gpus=1))
    np.testing.assert_allclose(cost.estimate(1, np.ones(1))[0], wanted)


MODELS = {"gpu_time": lambda: GpuTimeCost(3600.0), "observed": ObservedCost, "tokens": TokenCost}


@pytest.mark.parametrize("kind", MODELS)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), shares=st.tuples(*[st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0])] * 5))
def test_what_was_recorded_does_not_move_the_cost_of_identical_calls(kind, seed, shares):
    """Blank any cells of any measure: a target that still can be costed costs what it did."""
    rng = np.random.default_rng(seed)
    outcomes = alike(30)
    # One price for both; 40 tokens in and 100 out are 0.003 USD, the bill.
    targets = [TargetConfig(f"m{j}", price_in=25.0, price_out=20.0, gpus=1) for j in range(2)]
    train = np.arange(25)
    query_tokens = np.full(30, 12.0) if seed % 2 else None
    whole = MODELS[kind]().fit(outcomes, train, targets, query_tokens)
    names = ("prompt_tokens", "completion_tokens", "latency_s", "ttft_s", "cost_usd")
    blanked = {
        name: np.where(rng.random((30, 2)) < share, NAN, getattr(outcomes, name))
        for name, share in zip(names, shares, strict=True)
    }
    if kind == "tokens" and np.isnan(blanked["prompt_tokens"][train]).all(axis=0).any():
        blanked["prompt_tokens"][0] = (
            40.0  # without any, the bare query is what is sent: another cost by design
        )
    some = replace(outcomes, **blanked)
    try:
        fitted = MODELS[kind]().fit(some, train, targets, query_tokens)
    except UserError:
        return  # nothing to cost a target by: refused by name, which other tests look at
    estimates = fitted.estimate(30, query_tokens, some.prompt_tokens)
    np.testing.assert_allclose(estimates, whole.estimate(30, query_tokens, outcomes.prompt_tokens), rtol=1e-9)
    realised = fitted.realised(some)
    known = ~np.isnan(realised)
    np.testing.assert_allclose(realised[known], whole.realised(outcomes)[known], rtol=1e-9)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (
            {"price_in": NAN, "price_out": 1.0},
            r"target 'x': price_in: expected USD per 10\^6 tokens, 0 or more, found nan",
        ),
        ({"price_in": 1.0, "price_out": -2.0}, r"target 'x': price_out: .*found -2.0"),
        ({"price_in": float("inf"), "price_out": 1.0}, r"price_in: .*found inf"),
        ({"price_in": 1.0}, r"target 'x': price_out: expected both prices or neither"),
        (
            {"price_in": 0.0, "price_out": 0.0},
            r"price_in: expected more than 0, or a price_date that says 'free', found 0",
        ),
    ],
)
def test_bad_prices(facts, message):
    with pytest.raises(UserError, match=message):
        check_prices([TargetConfig("x", **facts)])


def test_free_targets_say_so():
    price_in, price_out = check_prices([TargetConfig("x", 0.0, 0.0, "Free tier, 2026-01"), TargetConfig("y")])
    assert price_in[0] == price_out[0] == 0
    assert np.isnan(price_in[1])
