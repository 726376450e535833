import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedKFold

from prefillroute.errors import UserError
from prefillroute.outcomes.agreement import agreement_classes
from prefillroute.outcomes.duplicates import duplicate_groups
from prefillroute.outcomes.files import read_outcomes
from prefillroute.outcomes.folds import stratified_folds, stratified_holdout
from prefillroute.outcomes.splits import LeaveOneBenchmarkOut, LeaveOneCategoryOut, StratifiedSplit
from prefillroute.outcomes.strata import strata
from prefillroute.outcomes.stratified import assign_parts, merge_small
from prefillroute.outcomes.table import Outcomes
from tests.stated_defaults import contradicted


def outcomes_of(benchmark: list[str], labels: np.ndarray, prompts: list[str], **extra: list) -> Outcomes:
    queries = pd.DataFrame(
        {
            "query_id": [f"q{i}" for i in range(len(prompts))],
            "benchmark": benchmark,
            "category": "c",
            "prompt": prompts,
        }
    ).assign(**extra)
    unknown = np.full(labels.shape, np.nan)
    return Outcomes(queries, tuple(f"m{j}" for j in range(labels.shape[1])), labels, *[unknown] * 5)


@st.composite
def pools(draw, least: int = 12):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    num = draw(st.integers(least, 300))
    labels = (rng.random((num, draw(st.integers(2, 5)))) > rng.random((num, 1))).astype(float)
    labels[rng.random(labels.shape) < draw(st.sampled_from([0.0, 0.3]))] = np.nan
    benchmark = rng.choice([f"b{i}" for i in range(draw(st.integers(1, 6)))], num).tolist()
    repeats = draw(st.sampled_from([num * 100, num, max(num // 3, 8)]))
    prompts = [f"question  {i}" if i % 2 else f" question {i}\n" for i in rng.integers(0, repeats, num)]
    extra = {}
    if draw(st.booleans()):
        extra["near_dup_group"] = [f"g{i}" if i < num // 2 else None for i in rng.integers(0, num, num)]
    return outcomes_of(benchmark, labels, prompts, **extra)


def brute_force_groups(queries: pd.DataFrame) -> np.ndarray:
    """Union by repeated passes over all pairs of equal keys."""
    group = np.arange(len(queries))
    keys = [queries["prompt"].map(lambda text: " ".join(text.split())).tolist()]
    if "near_dup_group" in queries:
        keys.append(
            [
                value if isinstance(value, str) else f"none{i}"
                for i, value in enumerate(queries["near_dup_group"])
            ]
        )
    changed = True
    while changed:
        before = group.copy()
        for values in keys:
            group = pd.Series(group).groupby(values).transform("min").to_numpy()
        changed = bool((group != before).any())
    return group


@settings(max_examples=25, deadline=None)
@given(pools())
def test_groups_equal_brute_force(outcomes):
    found, wanted = duplicate_groups(outcomes.queries), brute_force_groups(outcomes.queries)
    assert (pd.Series(found).groupby(wanted).nunique() == 1).all()
    assert (pd.Series(wanted).groupby(found).nunique() == 1).all()


@settings(max_examples=30, deadline=None)
@given(pools(), st.floats(0.1, 0.4), st.sampled_from([0.0, 0.1, 0.2]), st.integers(0, 5))
def test_split_invariants(outcomes, test_size, calibration_size, seed):
    splitter = StratifiedSplit(test_size, calibration_size, seed=seed)
    largest = int(np.bincount(outcomes.duplicates).max())
    try:
        split = splitter.split(outcomes)
    except UserError:
        assert largest > 0.25 * len(outcomes) * min(test_size, 1 - test_size) or len(outcomes) * test_size < 3
        return
    parts = np.concatenate([split.train, split.calibration, split.test])
    assert sorted(parts) == list(range(len(outcomes)))
    names = split.names(len(outcomes))
    assert (pd.Series(names).groupby(outcomes.duplicates).nunique() == 1).all()
    assert abs(len(split.test) - test_size * len(outcomes)) <= largest + 1
    assert abs(len(split.calibration) - calibration_size * len(outcomes)) <= largest + 1
    again = splitter.split(outcomes)
    np.testing.assert_array_equal(again.test, split.test)
    np.testing.assert_array_equal(again.calibration, split.calibration)


@settings(max_examples=30, deadline=None)
@given(pools(least=40), st.integers(2, 6), st.integers(0, 5))
def test_fold_invariants(outcomes, num_folds, seed):
    rows = np.random.default_rng(seed).permutation(len(outcomes))[: len(outcomes) * 3 // 4]
    group = outcomes.duplicates[rows]
    largest = int(np.bincount(group).max())
    try:
        folds = stratified_folds(outcomes, rows, num_folds, seed)
    except UserError:
        assert largest * num_folds > len(rows) / 2
        return
    assert set(folds) == set(range(num_folds))
    assert (pd.Series(folds).groupby(group).nunique() == 1).all()
    sizes = np.bincount(folds)
    assert np.abs(sizes - len(rows) / num_folds).max() <= largest + 1
    np.testing.assert_array_equal(folds, stratified_folds(outcomes, rows, num_folds, seed))
    held_out = stratified_holdout(outcomes, rows, 0.1, seed)
    assert 0 < held_out.sum() < len(rows)
    assert (pd.Series(held_out).groupby(group).nunique() == 1).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(20, 800), st.integers(1, 12), st.integers(2, 8))
def test_every_stratum_has_its_share(seed, num, num_strata, num_folds):
    codes = np.random.default_rng(seed).integers(0, num_strata, num)
    folds = assign_parts(codes, np.arange(num), [1 / num_folds] * num_folds, seed)
    assert np.ptp(np.bincount(folds, minlength=num_folds)) <= 1
    table = pd.crosstab(codes, folds).to_numpy()
    wanted = np.bincount(codes)[np.unique(codes), None] / num_folds
    # One unit of rounding, plus what the others' offsets move a cut by (at most a row per stratum).
    assert (np.abs(table - wanted) <= 2 + num_strata * wanted * num_folds / num).all()


def test_folds_are_as_even_as_scikit_learns():
    rng = np.random.default_rng(0)
    codes = rng.choice(9, 2000, p=np.arange(1, 10) / 45)
    ours = assign_parts(codes, np.arange(2000), [0.2] * 5, seed=0)
    theirs = np.empty(2000, dtype=int)
    for fold, (_, held) in enumerate(StratifiedKFold(5, shuffle=True, random_state=0).split(codes, codes)):
        theirs[held] = fold
    spread = [np.ptp(pd.crosstab(codes, folds).to_numpy(), axis=1).max() for folds in (ours, theirs)]
    assert spread[0] <= spread[1] + 2


def test_split_keeps_the_shares_of_benchmark_and_class(table):
    outcomes = table(num_queries=900, num_targets=3)
    split = StratifiedSplit(0.15).split(outcomes)
    keys = outcomes.queries["benchmark"] + agreement_classes(outcomes.labels)
    share = keys.iloc[split.test].value_counts() / keys.value_counts()
    assert share.between(0.10, 0.20).all()
    assert len(split.test) == 135
    assert len(split.calibration) == 0


def test_split_depends_on_the_seed(table):
    outcomes = table(num_queries=200)
    first, second = (StratifiedSplit(seed=seed).split(outcomes).test for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_merge_small():
    codes = np.repeat([0, 1, 2, 3, 4, 5], [20, 2, 3, 30, 9, 4])
    benchmark = np.repeat([0, 0, 0, 1, 1, 2], [20, 2, 3, 30, 9, 4])
    merged = merge_small(codes, benchmark, least=5)
    # 1 and 2 join inside benchmark 0 (5 rows); 5 stays small and becomes the rest.
    assert merged[20] == merged[24]
    assert len(np.unique(merged)) == 5
    together = merge_small(codes, benchmark, least=10)
    assert set(np.bincount(together)) == {20, 30, 18}


def test_agreement_classes():
    nan = np.nan
    labels = np.array([[1, 1], [0, 0], [1, 0], [1, nan], [0, nan], [nan, nan]])
    assert list(agreement_classes(labels)) == [
        "all_correct", "all_wrong", "disagreement", "all_correct", "all_wrong", "disagreement",
    ]  # fmt: skip


def test_own_split_wins(table):
    part = ["train"] * 30 + ["test"] * 10
    outcomes = table(num_queries=40, queries={"split": part})
    split = StratifiedSplit(test_size=0.5).split(outcomes)
    np.testing.assert_array_equal(split.test, np.arange(30, 40))
    with_calibration = StratifiedSplit(calibration_size=0.2).split(outcomes)
    np.testing.assert_array_equal(with_calibration.test, split.test)
    assert len(with_calibration.calibration) == 8
    assert set(with_calibration.train) | set(with_calibration.calibration) == set(split.train)
    ignored = StratifiedSplit(test_size=0.5, column=None).split(outcomes)
    assert len(ignored.test) == 20


def test_own_split_that_parts_duplicates_is_refused(table):
    prompts = ["same  question", *[f"p{i}" for i in range(38)], "same question "]
    outcomes = table(num_queries=40, queries={"split": ["train"] * 30 + ["test"] * 10, "prompt": prompts})
    with pytest.raises(UserError, match=r"found query 'q0' in train and 'q39' in test; .*split.column=null"):
        StratifiedSplit().split(outcomes)
    StratifiedSplit(column=None).split(outcomes)


def test_own_calibration_part_is_kept(table):
    part = ["train"] * 20 + ["calibration"] * 10 + ["test"] * 10
    split = StratifiedSplit(calibration_size=0.1).split(table(num_queries=40, queries={"split": part}))
    np.testing.assert_array_equal(split.calibration, np.arange(20, 30))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"test_size": 0.0}, r"split.test_size: expected a share above 0 and below 1, found 0.0"),
        ({"test_size": 1.2}, r"split.test_size: .*found 1.2"),
        ({"calibration_size": -0.1}, r"split.calibration_size: .*found -0.1"),
        ({"max_train_queries": 0}, r"max_train_queries: expected at least 1, found 0; null takes all"),
        ({"test_size": 0.6, "calibration_size": 0.5}, r"leave a training part .*found 0.6 and 0.5"),
    ],
)
def test_bad_shares(arguments, message):
    with pytest.raises(UserError, match=message):
        StratifiedSplit(**arguments)


def test_one_query_cannot_be_split(table):
    with pytest.raises(UserError, match=r"at least 1 query for training .*found 1 and 0 of 1"):
        StratifiedSplit().split(table(num_queries=1))


def test_calibration_greater_than_training(table):
    outcomes = table(num_queries=40, queries={"split": ["train"] * 4 + ["test"] * 36})
    with pytest.raises(UserError, match=r"calibration_size: expected less than 0.1, .*found 0.1"):
        StratifiedSplit(calibration_size=0.1).split(outcomes)


@pytest.mark.parametrize(
    ("label", "left_out", "known", "splitter"),
    [
        ("benchmark", "beta", "alpha, beta, gamma", LeaveOneBenchmarkOut),
        ("category", "y", "x, y", LeaveOneCategoryOut),
    ],
)
def test_leave_one_out(table, label, left_out, known, splitter):
    outcomes = table(num_queries=120)
    inside = np.flatnonzero(outcomes.queries[label] == left_out)
    outside = np.flatnonzero(outcomes.queries[label] != left_out)
    outcomes.queries.loc[outside[3], "prompt"] = outcomes.queries.loc[inside[0], "prompt"] + "  "
    split = splitter(left_out, calibration_size=0.2).split(outcomes)
    np.testing.assert_array_equal(split.test, inside)
    others = len(outside) - 1  # the duplicate is in no part
    assert len(split.train) + len(split.calibration) == others
    assert outside[3] not in np.concatenate([split.train, split.calibration])
    assert len(split.calibration) == pytest.approx(0.2 * others, abs=1)
    smaller = splitter(left_out, calibration_size=0.2, max_train_queries=20).split(outcomes)
    assert len(smaller.train) == 20
    assert set(smaller.train) <= set(split.train)
    np.testing.assert_array_equal(smaller.calibration, split.calibration)
    with pytest.raises(UserError, match=f"split.{label}: expected one of {known}, found 'delta'"):
        splitter("delta").split(outcomes)
    with pytest.raises(UserError, match=rf"split.{label}: .*found None"):
        splitter(None).split(outcomes)


@settings(max_examples=30, deadline=None)
@given(pools(least=40), st.integers(1, 250), st.integers(1, 60), st.integers(0, 5))
def test_a_smaller_training_part(outcomes, most, more, seed):
    def split(size: int | None):
        return StratifiedSplit(0.2, 0.1, max_train_queries=size, subset_seed=seed).split(outcomes)

    try:
        whole, smaller, larger = split(None), split(most), split(most + more)
    except UserError:
        largest = int(np.bincount(outcomes.duplicates).max())
        assert most < largest or largest > 4  # the first group is too large, or a part is empty
        return
    np.testing.assert_array_equal(smaller.test, whole.test)
    np.testing.assert_array_equal(smaller.calibration, whole.calibration)
    np.testing.assert_array_equal(smaller.train, split(most).train)
    assert set(smaller.train) <= set(larger.train) <= set(whole.train)
    # Groups are whole: none is in the subset and also in the rows that were left out.
    left_out = np.setdiff1d(whole.train, smaller.train)
    group = outcomes.duplicates
    assert not set(group[smaller.train]) & set(group[left_out])
    largest = int(np.bincount(group[whole.train]).max())
    wanted = min(most, len(whole.train))
    assert wanted - largest < len(smaller.train) <= wanted
    # Every stratum has its share, but for a group of rounding and the order's offsets.
    codes = strata(outcomes, whole.train)
    found = np.bincount(codes[np.isin(whole.train, smaller.train)], minlength=codes.max() + 1)
    share = len(smaller.train) / len(whole.train)
    assert (np.abs(found - share * np.bincount(codes)) <= largest * (2 + len(found))).all()


def test_another_seed_keeps_other_training_queries(table):
    outcomes = table(num_queries=400)
    one, other = (StratifiedSplit(max_train_queries=100, subset_seed=seed).split(outcomes) for seed in (0, 1))
    assert len(one.train) == len(other.train) == 100
    assert len(np.intersect1d(one.train, other.train)) < 60
    np.testing.assert_array_equal(one.test, other.test)


def test_too_few_rows_for_folds(table):
    outcomes = table(num_queries=6)
    with pytest.raises(UserError, match=r"num_folds: expected 2 to 6, .*distinct training queries, found 7"):
        stratified_folds(outcomes, np.arange(6), 7, 0)
    with pytest.raises(UserError, match=r"num_folds: .*found 1"):
        stratified_folds(outcomes, np.arange(6), 1, 0)
    with pytest.raises(UserError, match=r"expected training queries enough .*, found 1"):
        stratified_holdout(outcomes, np.arange(1), 0.1, 0)
    assert stratified_holdout(outcomes, np.arange(3), 0.1, 0).sum() == 1


def test_no_fold_is_empty_whatever_repeats():
    prompts = ["one question"] * 90 + ["a", "b", "c"]
    outcomes = outcomes_of(["a"] * 93, np.ones((93, 2)), prompts)
    refused = []
    for seed in range(20):
        try:
            assert set(stratified_folds(outcomes, np.arange(93), 3, seed)) == {0, 1, 2}
        except UserError as error:
            refused.append(str(error))
    assert 0 < len(refused) < 20
    assert set(refused) == {
        "num_folds: expected fewer folds, since repeated prompts leave one empty, found 3"
    }


def test_strata_are_of_benchmark_and_class():
    labels = np.tile([[1.0, 1], [0, 0], [1, 0]], (40, 1))
    outcomes = outcomes_of(["a"] * 60 + ["b"] * 60, labels, [str(i) for i in range(120)])
    codes = strata(outcomes, np.arange(120))
    assert len(np.unique(codes)) == 6
    assert (pd.crosstab(codes, agreement_classes(labels)) > 0).to_numpy().sum() == 6


@pytest.mark.shared_data
def test_real_pools(real_data):
    outcomes = read_outcomes(real_data("mmlu_pro"))
    split = StratifiedSplit().split(outcomes)
    assert (len(split.train), len(split.test)) == (8957, 1792)
    folds = stratified_folds(outcomes, split.train, 5, 0)
    assert np.ptp(np.bincount(folds)) <= 2
    assert (pd.Series(folds).groupby(outcomes.duplicates[split.train]).nunique() == 1).all()
    classes = pd.crosstab(agreement_classes(outcomes.labels[split.train]), folds)
    assert (np.ptp(classes.to_numpy(), axis=1) <= 6).all()


def test_defaults_are_those_of_conf() -> None:
    assert contradicted("split") == {}
