from dataclasses import replace

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from prefillroute.errors import UserError
from prefillroute.semantic.neighbour_statistics import mean_outcomes
from prefillroute.signals.ego_graph import EgoGraphSignal
from tests.signals.toy import MODEL, Queries, fit

ROWS, TRAINING, TARGETS, WIDTH = 60, 50, 2, 8
MASKS = np.stack([np.arange(ROWS) < TRAINING, (np.arange(ROWS) < TRAINING) & (np.arange(ROWS) % 4 != 1)])


@pytest.fixture
def inputs() -> Queries:
    rng = np.random.default_rng(0)
    embedding = (rng.normal(size=(ROWS, WIDTH)) * np.arange(1, WIDTH + 1) + 2).astype(np.float32)
    correct = (rng.random((ROWS, TARGETS)) < 0.6).astype(np.float64)
    correct[rng.random((ROWS, TARGETS)) < 0.2] = np.nan
    return Queries(embedding=embedding, correct=correct)


def nodes(features: np.ndarray, signal: EgoGraphSignal) -> np.ndarray:
    """(..., 1 + k, F)."""
    return features.reshape(*features.shape[:-1], signal.num_neighbours + 1, -1)


def test_nodes_are_what_scikit_learn_finds(inputs: Queries) -> None:
    signal = EgoGraphSignal(MODEL, num_neighbours=4, dim=5)
    features = fit(signal, inputs, MASKS)
    assert features.shape == (2, ROWS, 5 * (5 + TARGETS + 1))
    assert features.dtype == np.float32
    graphs = nodes(features, signal)
    for group, mask in enumerate(MASKS):
        memory = np.flatnonzero(mask)
        pca = PCA(5, svd_solver="full").fit(inputs.embedding[memory].astype(float))
        points = pca.transform(inputs.embedding.astype(float))
        points /= np.sqrt((points[memory] ** 2).mean())
        # A row of the group is its own nearest in scikit-learn's eyes (no copies here).
        distance, found = (
            NearestNeighbors(n_neighbors=5).fit(inputs.embedding[memory]).kneighbors(inputs.embedding)
        )
        scale = distance[memory, 1:].mean()
        for row in range(ROWS):
            own = int(np.flatnonzero(memory == row)[0]) if mask[row] else -1
            near = memory[found[row, 1:]] if mask[row] else memory[found[row, :4]]
            prior = mean_outcomes(inputs.correct[memory], np.array([own]))[0]
            graph = graphs[group, row]
            np.testing.assert_allclose(graph[:, :5], points[[row, *near]], atol=1e-5)
            np.testing.assert_array_equal(graph[0, 5:], 0)
            np.testing.assert_allclose(
                graph[1:, 5:-1], np.nan_to_num(inputs.correct[near] - prior), atol=1e-6
            )
            own_distance = distance[row, 1:] if mask[row] else distance[row, :4]
            np.testing.assert_allclose(graph[1:, -1], 1 / (1 + own_distance / scale), rtol=1e-4)


def test_columns_beyond_the_rank_are_zero(inputs: Queries) -> None:
    signal = EgoGraphSignal(MODEL, num_neighbours=3, dim=12)
    points = nodes(fit(signal, inputs, MASKS), signal)[..., :12]
    assert (points[..., WIDTH:] == 0).all()
    assert np.square(points[0, MASKS[0], 0, :WIDTH]).mean() == pytest.approx(1, rel=1e-5)
    same = replace(inputs, embedding=np.ones_like(inputs.embedding))
    with pytest.warns(RuntimeWarning, match="invalid value"):  # scikit-learn's share of a variance of 0
        features = fit(signal, same, MASKS)
    assert (nodes(features, signal)[..., :12] == 0).all()


def test_rows_outside_a_group_change_nothing_else(inputs: Queries) -> None:
    before = fit(EgoGraphSignal(MODEL, 4, 5), inputs, MASKS)
    for row in (9, 55):  # held out of group 1; of both
        embedding, correct = inputs.embedding.copy(), inputs.correct.copy()
        embedding[row], correct[row] = -3 * embedding[row], [1, np.nan]
        after = fit(EgoGraphSignal(MODEL, 4, 5), replace(inputs, embedding=embedding, correct=correct), MASKS)
        others = np.arange(ROWS) != row
        np.testing.assert_array_equal(after[1][others], before[1][others])
        assert (after[1][row] != before[1][row]).any()
        assert (after[0][others] == before[0][others]).all() == (row == 55)


def test_no_row_reads_its_own_outcome(inputs: Queries) -> None:
    before = fit(EgoGraphSignal(MODEL, 4, 5), inputs, MASKS)
    for row in range(ROWS):
        correct = inputs.correct.copy()
        correct[row] = np.where(np.isnan(correct[row]), 0.3, 0.7 - correct[row])
        after = fit(EgoGraphSignal(MODEL, 4, 5), replace(inputs, correct=correct), MASKS)
        np.testing.assert_array_equal(after[:, row], before[:, row])
        assert (after != before).any() == (row < TRAINING)


def test_new_queries_as_rows_outside_the_group(inputs: Queries) -> None:
    signal = EgoGraphSignal(MODEL, 4, 5)
    features = fit(signal, inputs, MASKS)
    for rows in (np.arange(TRAINING, ROWS), np.array([57])):
        new = Queries(embedding=inputs.embedding[rows])
        np.testing.assert_allclose(signal.transform(new.readings), features[0, rows], atol=1e-5)


def test_too_few_training_rows_are_named(inputs: Queries) -> None:
    fewest = int(MASKS.sum(1).min())
    assert fit(EgoGraphSignal(MODEL, fewest - 1, 2), inputs, MASKS).shape[2] == fewest * 5
    with pytest.raises(
        UserError, match=f"signal.num_neighbours: expected at most {fewest - 1}, .*, found {fewest}"
    ):
        fit(EgoGraphSignal(MODEL, fewest, 2), inputs, MASKS)
    twins = replace(inputs, duplicates=np.maximum(np.arange(ROWS), 3))  # rows 0 to 3 are duplicates
    with pytest.raises(
        UserError, match=f"signal.num_neighbours: expected at most {fewest - 3}, .*, found {fewest - 1}"
    ):
        fit(EgoGraphSignal(MODEL, fewest - 1, 2), twins, MASKS)
    assert fit(EgoGraphSignal(MODEL, fewest - 3, 2), twins, MASKS).shape[2] == (fewest - 2) * 5
    for key in ("num_neighbours", "dim"):
        with pytest.raises(UserError, match=f"signal.{key}: expected at least 1, found 0"):
            EgoGraphSignal(MODEL, **{key: 0})
