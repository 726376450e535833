from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefillroute.errors import UserError
from prefillroute.layers.choice import Block, LayerChoice, empty_table
from prefillroute.layers.selection import best_of, choose_blocks
from prefillroute.layers.table import ProbeTable

BLOCKS = [Block("toy", (layer,), "last", 50) for layer in range(6)]


def table_for(scores: np.ndarray) -> ProbeTable:
    targets = tuple(f"t{index}" for index in range(scores.shape[1]))
    return ProbeTable(targets, tuple(BLOCKS[: len(scores)]), empty_table(), {"toy": 6})


def choose(scores: np.ndarray, max_blocks: int) -> LayerChoice:
    return choose_blocks(table_for(scores), scores, max_blocks)


def mean_score(scores: np.ndarray, choice) -> float:
    return float(
        np.mean([scores[BLOCKS.index(choice.blocks[b]), int(t[1:])] for t, b in choice.per_target.items()])
    )


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), max_blocks=st.integers(1, 6))
def test_each_target_gets_the_best_block_kept_and_one_removal_is_optimal(seed: int, max_blocks: int) -> None:
    scores = np.random.default_rng(seed).random((6, 8))
    choice = choose(scores, max_blocks)
    kept = [BLOCKS.index(block) for block in choice.blocks]
    assert len(kept) <= max_blocks
    for target, index in choice.per_target.items():
        assert kept[index] == kept[int(scores[kept, int(target[1:])].argmax())]
    wanted = sorted(set(scores.argmax(0)))
    if max_blocks >= len(wanted):
        assert kept == wanted
    elif max_blocks == len(wanted) - 1:
        best = max(scores[list(few)].max(0).mean() for few in combinations(wanted, max_blocks))
        assert mean_score(scores, choice) == pytest.approx(best)


def test_ties_go_to_the_earlier_block() -> None:
    choice = choose(np.full((3, 2), 0.7), 8)
    assert choice.blocks == (BLOCKS[0],)
    choice = choose(np.array([[0.7, 0.6], [0.6, 0.7]]), 1)
    assert choice.blocks == (BLOCKS[0],)


def test_targets_without_a_score_take_the_block_best_on_average_and_are_named() -> None:
    scores = np.array([[0.9, 0.5, np.nan], [0.6, 0.7, np.nan], [np.nan] * 3])
    choice = choose(scores, 8)
    assert choice.unscored == ("t2",)
    assert choice.per_target == {"t0": 0, "t1": 1, "t2": 0}


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 6))
def test_given_blocks_serve_each_target_best(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.random((6, 5)).round(1)  # with ties
    scores[:, rng.random(5) < 0.2] = np.nan
    kept = sorted(rng.permutation(6)[:count].tolist())
    if np.isnan(scores).all():
        return
    choice = best_of(table_for(scores), scores, kept)
    assert choice.blocks == tuple(BLOCKS[index] for index in kept)
    known = [column for column in range(5) if not np.isnan(scores[0, column])]
    average = [np.mean([scores[index, column] for column in known]) for index in kept]
    for column in range(5):
        own = [scores[index, column] for index in kept] if column in known else average
        assert choice.per_target[f"t{column}"] == own.index(max(own))
    assert choice.unscored == tuple(f"t{column}" for column in range(5) if column not in known)


def test_nothing_to_choose_from_is_an_error() -> None:
    with pytest.raises(UserError, match="found no target that could be scored"):
        choose(np.full((2, 2), np.nan), 8)
    with pytest.raises(UserError, match=r"layers\.max_blocks: expected at least 1, found 0"):
        choose(np.ones((2, 2)), 0)
