from dataclasses import replace

import numpy as np
import pytest

from prefillroute.errors import UserError
from prefillroute.semantic.neighbour_statistics import NAMES, mean_outcomes, neighbour_statistics
from prefillroute.semantic.neighbours import nearest
from prefillroute.signals.knn import KNNSignal
from tests.signals.toy import MODEL, Queries, fit

ROWS, TRAINING, TARGETS = 150, 135, 3
MASKS = np.stack([np.arange(ROWS) < TRAINING, (np.arange(ROWS) < TRAINING) & (np.arange(ROWS) % 4 != 1)])


def toy_inputs(seed: int = 0) -> Queries:
    """Rows 3 and 5 are copies of row 2, row 140 (of no group) is one of row 7; target 2 is nearly unknown."""
    rng = np.random.default_rng(seed)
    embedding = rng.normal(size=(ROWS, 8)).astype(np.float32)
    embedding[[3, 5]], embedding[140] = embedding[2], embedding[7]
    correct = (rng.random((ROWS, TARGETS)) < 0.6).astype(np.float64)
    correct[rng.random((ROWS, TARGETS)) < np.array([0, 0.2, 0.95])] = np.nan
    return Queries(embedding=embedding, correct=correct)


def columns(features: np.ndarray, name: str) -> np.ndarray:
    """(..., M) of one statistic."""
    return features.reshape(*features.shape[:-1], TARGETS, len(NAMES))[..., NAMES.index(name)]


def test_statistics_in_units_of_the_mean_distance_target_by_target() -> None:
    inputs = toy_inputs()
    features = fit(KNNSignal(MODEL, "gaussian"), inputs, MASKS)
    assert features.shape == (2, ROWS, TARGETS * len(NAMES))
    assert features.dtype == np.float32
    for group, mask in enumerate(MASKS):
        memory = np.flatnonzero(mask)
        own = np.array([int(np.flatnonzero(memory == row)[0]) if mask[row] else -1 for row in range(ROWS)])
        distances, rows = nearest(inputs.embedding[memory], inputs.embedding, 100, own)
        plain = neighbour_statistics(distances, rows, inputs.correct[memory], "gaussian", groups=own)
        unit = plain[mask][:, 0, NAMES.index("mean_distance_k100")].mean()
        in_units = np.array(["correct_k" in name or "distance_k" in name for name in NAMES])
        plain[..., in_units] /= unit
        np.testing.assert_allclose(features[group], plain.reshape(ROWS, -1), rtol=1e-4, atol=1e-6)
        assert columns(features[group, mask], "mean_distance_k100").mean() == pytest.approx(1, rel=1e-5)


def test_copies_are_neighbours_but_a_row_is_not_its_own() -> None:
    features = fit(KNNSignal(MODEL), toy_inputs(), MASKS)
    distance = np.minimum(*(columns(features, f"min_{kind}_k5")[..., 0] for kind in ("correct", "incorrect")))
    zero = np.flatnonzero(distance[0] == 0).tolist()
    assert zero == [2, 3, 5, 140]  # 7 has no copy in the group, 140 has 7
    assert np.flatnonzero(distance[1] == 0).tolist() == [2, 3, 5, 140]  # 5 is held out of group 1: 5 % 4 == 1


@pytest.mark.parametrize("index_share", [1.0, 0.4])
def test_rows_outside_a_group_change_nothing_else(index_share: float) -> None:
    inputs = toy_inputs()
    before = fit(KNNSignal(MODEL, index_share=index_share), inputs, MASKS)
    for row in (9, 140):  # held out of group 1; of both
        embedding, correct = inputs.embedding.copy(), inputs.correct.copy()
        embedding[row], correct[row] = -3 * embedding[row], [1, np.nan, 0]
        after = fit(
            KNNSignal(MODEL, index_share=index_share),
            replace(inputs, embedding=embedding, correct=correct),
            MASKS,
        )
        others = np.arange(ROWS) != row
        np.testing.assert_array_equal(after[1][others], before[1][others])
        assert (after[1][row] != before[1][row]).any()
        if row == 140:
            np.testing.assert_array_equal(after[0][others], before[0][others])
        elif index_share == 1:
            assert (after[0][others] != before[0][others]).any()


@pytest.mark.parametrize("index_share", [1.0, 0.5])
def test_no_row_reads_its_own_outcome(index_share: float) -> None:
    inputs = toy_inputs()
    before = fit(KNNSignal(MODEL, index_share=index_share), inputs, MASKS)
    changed = 0
    for row in range(0, ROWS, 7):
        correct = inputs.correct.copy()
        correct[row] = np.where(np.isnan(correct[row]), 1, 1 - correct[row])
        after = fit(KNNSignal(MODEL, index_share=index_share), replace(inputs, correct=correct), MASKS)
        np.testing.assert_array_equal(after[:, row], before[:, row])
        changed += int((after != before).any())
    assert changed >= 0.8 * index_share * TRAINING / 7  # the others do read it


def test_unknown_outcomes_fall_back_on_means_that_tell_nothing() -> None:
    inputs = toy_inputs()
    correct = inputs.correct.copy()
    features = fit(KNNSignal(MODEL), inputs, MASKS)
    ratios = columns(features[0], "ratio_k5")[:, 2]
    fallback = ~np.isin(ratios, [0, 1])
    assert fallback.sum() > 50
    own = np.where(MASKS[0], np.arange(ROWS), -1)
    means = mean_outcomes(correct[:TRAINING], own)[:, 2]
    np.testing.assert_allclose(ratios[fallback], means[fallback], rtol=1e-6)


def test_new_queries_as_rows_outside_the_group() -> None:
    inputs, signal = toy_inputs(), KNNSignal(MODEL, index_share=0.5, seed=3)
    features = fit(signal, inputs, MASKS)
    for rows in (np.arange(TRAINING, ROWS), np.array([147])):
        new = Queries(embedding=inputs.embedding[rows])
        np.testing.assert_array_equal(signal.transform(new.readings), features[0, rows])


def test_the_index_is_a_share_of_the_training_rows_fixed_by_the_seed() -> None:
    inputs = toy_inputs()
    memories = []
    for share, seed in ((0.25, 0), (0.25, 0), (0.25, 1), (1.0, 1)):
        signal = KNNSignal(MODEL, index_share=share, seed=seed)
        fit(signal, inputs, MASKS)
        memories.append(signal.memory_)
    assert [len(memory) for memory in memories] == [34, 34, 34, TRAINING]
    np.testing.assert_array_equal(memories[0], memories[1])
    assert (memories[0] != memories[2]).any()
    np.testing.assert_array_equal(memories[3], inputs.embedding[:TRAINING])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel": "cosine"}, "signal.kernel: expected one of inverse, gaussian, uniform, found 'cosine'"),
        ({"index_share": 0}, "signal.index_share: expected more than 0 and at most 1, found 0"),
        ({"index_share": 1.5}, "signal.index_share: expected more than 0 and at most 1, found 1.5"),
        ({"index_share": float("nan")}, "signal.index_share: expected more than 0 and at most 1, found nan"),
    ],
)
def test_mistaken_options_are_named(options, message) -> None:
    with pytest.raises(UserError, match=message):
        KNNSignal(MODEL, **options)
