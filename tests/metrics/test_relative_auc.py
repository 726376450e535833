"""Relative AUC against scikit-learn, pair by pair."""

from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from prefillroute.metrics.relative_auc import relative_auc, relative_auc_pairs


def by_scikit_learn(confidence: np.ndarray, labels: np.ndarray, min_queries: int = 20) -> list[float]:
    areas = []
    for i, j in combinations(range(labels.shape[1]), 2):
        exactly_one = labels[:, i] + labels[:, j] == 1
        wins = labels[exactly_one, i]
        if exactly_one.sum() >= min_queries and 0 < wins.sum() < len(wins):
            areas.append(roc_auc_score(wins, (confidence[:, i] - confidence[:, j])[exactly_one]))
    return areas


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_equals_scikit_learn(make_scores, ties: bool, missing: float) -> None:
    confidence, labels = make_scores(num_targets=5, ties=ties, missing=missing)
    expected = by_scikit_learn(confidence, labels)
    np.testing.assert_allclose(relative_auc_pairs(confidence, labels), expected)
    assert relative_auc(confidence, labels) == pytest.approx(np.mean(expected))


def test_weights_equal_repeated_rows(make_scores, repeat_rows) -> None:
    confidence, labels = make_scores(num_queries=150, ties=True)
    weights = np.random.default_rng(0).integers(0, 3, (4, 150)).astype(float)
    found = relative_auc(confidence, labels, weights, min_queries=1)
    for row, repeated in enumerate(repeat_rows(weights, np.arange(150))):
        assert found[row] == pytest.approx(
            relative_auc(confidence[repeated], labels[repeated], min_queries=1)
        )


def test_pairs_with_fewer_than_20_such_queries_are_left_out() -> None:
    labels = np.zeros((100, 3))
    labels[:19, 0], labels[40:50, 1], labels[:19, 2], labels[60, 2] = 1, 1, 1, 1
    confidence = np.random.default_rng(0).random((100, 3))
    # 0 against 1: 29 queries; 0 against 2: one; 1 against 2: 30.
    assert len(relative_auc_pairs(confidence, labels)) == 2
    assert np.isnan(relative_auc(confidence, labels, min_queries=31))


def test_a_pair_that_a_resample_leaves_without_queries_has_no_say_there(make_scores) -> None:
    confidence, labels = make_scores(num_targets=3)
    weights = np.ones((2, len(labels)))
    weights[1, labels[:, 0] + labels[:, 1] == 1] = 0.0
    found = relative_auc(confidence, labels, weights)
    assert found[0] == pytest.approx(np.mean(by_scikit_learn(confidence, labels)))
    assert found[1] == pytest.approx(
        np.mean(by_scikit_learn(*(x[weights[1] > 0] for x in (confidence, labels))))
    )


def test_knowing_only_what_is_hard_for_everyone_is_no_skill(make_scores) -> None:
    confidence, labels = make_scores()
    shared = np.repeat(confidence.mean(axis=1, keepdims=True), 4, axis=1)
    assert relative_auc(shared, labels) == 0.5


def test_one_target_has_no_pairs() -> None:
    assert np.isnan(relative_auc(np.full((30, 1), 0.5), np.ones((30, 1))))
