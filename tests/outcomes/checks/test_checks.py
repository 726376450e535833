"""A sound pool gives no finding; every fault, planted alone, gives its own and no other."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import cohen_kappa_score

from prefillroute.config.facts import TargetConfig
from prefillroute.outcomes import checks
from prefillroute.outcomes.checks.contract import ERROR, NOTE, WARNING, Check
from prefillroute.outcomes.checks.dominance import dominating
from prefillroute.outcomes.checks.price_dates import age_in_months, month_of
from prefillroute.outcomes.checks.query_duplicates import folded
from prefillroute.outcomes.checks.target_duplicates import kappa
from prefillroute.variants import classes_of
from tests.outcomes.checks.conftest import Spoil, with_target


def of_target(name: str, **changes: object) -> Spoil:
    return lambda pool, queries, outcomes: (with_target(pool, name, **changes), queries, outcomes)


def in_outcomes(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Spoil:
    return lambda pool, queries, outcomes: (pool, queries, change(outcomes))


def in_queries(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Spoil:
    return lambda pool, queries, outcomes: (pool, change(queries), outcomes)


def scores_of(name: str, source: str | float, rows: int = 600) -> Spoil:
    """The first scores of a target become a constant, or another target's."""

    def change(outcomes: pd.DataFrame) -> pd.DataFrame:
        wide = outcomes.set_index(["target", "query_id"])["correct"]
        values = np.full(600, source) if isinstance(source, float) else wide[source].to_numpy()
        kept = wide[name].to_numpy().copy()
        kept[:rows] = values[:rows]
        return outcomes.assign(correct=outcomes["correct"].mask(outcomes["target"] == name, np.tile(kept, 3)))

    return in_outcomes(change)


def one_price(pool, queries, outcomes):
    for name in ("small", "medium", "large"):
        pool = with_target(pool, name, price_in=1.0, price_out=2.0)
    return pool, queries, outcomes.assign(completion_tokens=np.repeat([50, 60, 70], 600))


def twice(prompt: str) -> Spoil:
    return in_queries(lambda frame: frame.assign(prompt=[prompt, *frame["prompt"][1:]]))


class Fault(NamedTuple):
    module: str
    """That finds it."""
    severity: str
    about: str
    said: str
    spoil: Spoil
    company: tuple[str, ...] = ()
    """Subjects of what it brings with it."""


def with_bills(pool, queries, outcomes):
    bills = np.where(outcomes["target"] == "large", 0.01, np.nan)
    return with_target(pool, "large", price_in=None, price_out=None), queries, outcomes.assign(cost_usd=bills)


def huge(pool, queries, outcomes):
    return (
        replace(pool, targets=[*pool.targets, TargetConfig("huge", 9.0, 9.0, "2026-09")]),
        queries,
        outcomes,
    )


def only_sevens_of_large(outcomes):
    return outcomes[(outcomes["target"] == "large") == (outcomes["query_id"].str[-1] == "7")]


def one_too_large(outcomes):
    return outcomes.assign(correct=[*outcomes["correct"][:2], 1.5, *outcomes["correct"][3:]])


FAULTS = [
    Fault(
        "prices", ERROR, "prices", "large'?: price_in: .*only the other", of_target("large", price_in=None)
    ),
    Fault(
        "prices", ERROR, "prices", "for large: no price", of_target("large", price_in=None, price_out=None)
    ),
    Fault("prices", NOTE, "prices", "large: are costed by the median", with_bills),
    Fault(
        "price_dates",
        WARNING,
        "price dates",
        "1 of 3 prices are older than 12 months: small 22$",
        of_target("small", price_date="x, 2025-01"),
    ),
    Fault("price_dates", WARNING, "price dates", "future: small$", of_target("small", price_date="2027-01")),
    Fault("price_dates", NOTE, "price dates", r"of small \(list\)", of_target("small", price_date="list")),
    Fault(
        "equal_prices",
        NOTE,
        "equal prices",
        r"2 of 3 targets share a price \(USD in/out\): 2 at 5/10",
        of_target("small", price_in=5.0, price_out=10.0),
        ("dominated",),
    ),
    Fault("equal_prices", WARNING, "equal prices", "3 at 1/2; no price tells", one_price, ("dominated",)),
    Fault(
        "estimates",
        NOTE,
        "tokens",
        r"100\.0% of the token counts are estimates \(by ear\)",
        lambda p, q, o: (replace(p, estimated_tokens="by ear"), q, o),
    ),
    Fault(
        "coverage",
        NOTE,
        "outcomes",
        r"^10 of 600 queries lack an outcome; .* the other 590 \(most are missing of small 10\)",
        in_outcomes(lambda f: f.iloc[10:]),
    ),
    Fault("coverage", WARNING, "outcomes", "^400 of 600", in_outcomes(lambda f: f.iloc[400:]), ("classes",)),
    Fault(
        "coverage", WARNING, "outcomes", "^600 .* are null", in_outcomes(only_sevens_of_large), ("classes",)
    ),
    Fault("classes", WARNING, "classes", "^always.*large right$", scores_of("large", 1.0), ("dominated",)),
    Fault(
        "classes",
        WARNING,
        "classes",
        r"too few to learn from in the training part, where 50 are wanted: large \d wrong$",
        scores_of("large", 1.0, rows=570),
        ("classes", "dominated"),
    ),
    Fault("classes", ERROR, "split", "at least 1 query", in_queries(lambda f: f.assign(split="train"))),
    Fault(
        "dominance",
        NOTE,
        "dominated",
        "^in each of 2 categories, 1 of 3 targets: small by large$",
        of_target("large", price_in=0.05, price_out=0.1),
    ),
    Fault(
        "query_duplicates", NOTE, "queries", "^2 queries are dup.* in 1 groups", twice("question  number 7")
    ),
    Fault(
        "query_duplicates",
        WARNING,
        "queries",
        "^2 queries differ only in case or punctuation, such as 'q0' and 'q7'",
        twice("“Question number 7”!"),
    ),
    Fault(
        "target_duplicates",
        WARNING,
        "targets",
        r"small and medium \(kappa 0\.9\d\)",
        scores_of("small", "medium", rows=580),
        ("dominated",),
    ),
    Fault("run", ERROR, "targets", "the table has no outcomes of huge", huge),
    Fault(
        "run",
        NOTE,
        "targets",
        "1 targets that the pool does not name: extra",
        in_outcomes(lambda f: pd.concat([f, f.iloc[:9].assign(target="extra")])),
    ),
    Fault("run", ERROR, "scores", r"^1 of 1,800 .* \[0, 1\]; row 3 has 1\.5$", in_outcomes(one_too_large)),
    Fault(
        "run",
        ERROR,
        "YAML",
        "expected every name once, found 'small' 2 times",
        lambda p, q, o: (replace(p, targets=[*p.targets, p.targets[0]]), q, o),
    ),
    Fault("run", ERROR, "YAML", "pool.exclude: expec", lambda p, q, o: (replace(p, exclude=["hugo"]), q, o)),
    Fault("run", ERROR, "table", "row 1801: expected one", in_outcomes(lambda f: pd.concat([f, f.iloc[:1]]))),
    Fault(
        "run", ERROR, "table", "'correct': expected numbers", in_outcomes(lambda f: f.assign(correct="yes"))
    ),
]


def test_a_sound_pool_gives_no_finding(found):
    assert found() == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.module}: {fault.said}")
def test_a_planted_fault_is_found_and_nothing_else(found, fault):
    seen = found(fault.spoil)
    sort = (fault.severity, fault.about)
    own = [each for each in seen if (each.severity, each.about) == sort and re.search(fault.said, each.what)]
    assert len(own) == 1, seen
    assert {each.about for each in seen if each is not own[0]} <= set(fault.company), seen
    assert fault.severity == NOTE or own[0].remedy
    assert "\n" not in own[0].what + own[0].remedy


def test_every_check_has_a_planted_fault():
    assert {fault.module for fault in FAULTS} == {*classes_of(checks, Check), "run"}


def test_without_a_table_only_the_yaml_is_looked_at(found, tmp_path):
    def elsewhere(pool, queries, outcomes):
        pool = with_target(pool, "small", price_in=None, price_out=None)
        return replace(pool, outcomes=str(tmp_path / "nowhere")), queries, outcomes

    lines = {(each.severity, each.about): each for each in found(elsewhere)}
    assert set(lines) == {(WARNING, "prices"), (NOTE, "table")}
    assert lines[NOTE, "table"].remedy == "make it with: prefillroute import csv x"


def test_half_a_table_is_an_error(found, tmp_path):
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "queries.parquet").write_bytes(b"PAR1")
    seen = found(lambda p, q, o: (replace(p, outcomes=str(tmp_path / "half")), q, o))
    assert [(each.severity, each.about) for each in seen] == [(ERROR, "table")]
    assert "damaged" in seen[0].what


def test_the_age_that_counts_is_an_option(found):
    old = of_target("small", price_date="x, 2025-01")
    assert found(old, months=22) == []
    assert len(found(old, months=21)) == 1


@given(st.dates(date(2020, 1, 1), date(2039, 12, 31)), st.integers(0, 60))
def test_months_are_counted_as_pandas_counts_them(day, months):
    earlier = pd.Period(day, "M") - months
    found = month_of(f"list, {earlier.year}-{earlier.month:02d}-15")
    assert found is not None
    assert age_in_months(found, day) == months


def brute_force(correct: np.ndarray, cost: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Dominance by its definition, pair by pair and group by group; scores are eighths and costs whole, so exact."""
    size = correct.shape[1]
    out = np.zeros((size, size), dtype=bool)
    for i in range(size):
        for j in range(size):
            rows = [q for q in range(len(correct)) if not np.isnan(correct[q, [i, j]]).any()]
            if not rows or np.isnan(cost[np.ix_(rows, [i, j])]).any():
                continue
            pairs = [
                (
                    sum(correct[q, i] for q in rows if group[q] == g),
                    sum(correct[q, j] for q in rows if group[q] == g),
                )
                for g in set(group)
            ]
            pairs.append((-sum(cost[q, i] for q in rows), -sum(cost[q, j] for q in rows)))
            out[i, j] = all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)
    return out


@settings(deadline=None)
@given(st.data(), st.integers(1, 6), st.integers(1, 4), st.integers(1, 3))
def test_dominance_is_its_definition(data, queries, targets, groups):
    score = st.sampled_from([0.0, 0.125, 0.5, 1.0, np.nan])
    correct = data.draw(arrays(np.float64, (queries, targets), elements=score))
    cost = data.draw(
        arrays(np.float64, (queries, targets), elements=st.sampled_from([0.0, 1.0, 2.0, np.nan]))
    )
    group = data.draw(arrays(np.int64, queries, elements=st.integers(0, groups - 1)))
    np.testing.assert_array_equal(dominating(correct, cost, group), brute_force(correct, cost, group))


@given(arrays(np.float64, (30, 3), elements=st.sampled_from([0.0, 1.0, 1.0, np.nan])))
def test_kappa_is_scikit_learns(labels):
    found, shared = kappa(labels)
    for i in range(3):
        for j in range(3):
            both = labels[~np.isnan(labels[:, [i, j]]).any(axis=1)][:, [i, j]]
            assert shared[i, j] == len(both)
            if len(np.unique(both)) == 2:  # else undefined
                assert found[i, j] == pytest.approx(cohen_kappa_score(*both.T), abs=1e-12)


def test_boards_and_numbers_are_not_folded():
    """Marks that stand alone, and those inside numbers, carry the meaning of a prompt."""
    prompts = ["_ W . b", "W _ b .", "2 + -1", "2 + 1", "1.5", "15", "a, b", "A b."]
    same = folded(prompts)
    assert len(set(same[:6])) == 6
    assert same[6] == same[7]
