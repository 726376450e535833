import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.neighbors import NearestNeighbors

from prefillroute.semantic import neighbour_statistics as module
from prefillroute.semantic.neighbour_statistics import (
    KERNELS,
    NAMES,
    STATISTICS,
    mean_outcomes,
    neighbour_statistics,
)
from prefillroute.semantic.neighbours import nearest


def weights(kernel, distances):
    if kernel == "inverse":
        return [1 / (distance + 1e-6) for distance in distances]
    if kernel == "gaussian":
        width = np.mean(distances)
        return [np.exp(-(distance**2) / (2 * width**2)) for distance in distances]
    return [1.0 for _ in distances]


def plain_statistics(distances, outcomes, kernel, prior, threshold):
    """Ten statistics of one query and one target, from lists, nearest first."""
    pairs = [
        (distance, outcome, weight)
        for distance, outcome, weight in zip(distances, outcomes, weights(kernel, distances), strict=True)
        if not np.isnan(outcome)
    ]
    right = [distance for distance, outcome, _ in pairs if outcome >= threshold] or [distances[-1]]
    wrong = [distance for distance, outcome, _ in pairs if outcome < threshold] or [distances[-1]]
    seen = [outcome for _, outcome, _ in pairs]
    ratio = np.mean(seen) if seen else prior
    return {
        "ratio": ratio,
        "weighted": np.average(seen, weights=[weight for *_, weight in pairs]) if seen else prior,
        "mean_correct": np.mean(right),
        "min_correct": min(right),
        "mean_incorrect": np.mean(wrong),
        "min_incorrect": min(wrong),
        "mean_distance": np.mean(distances),
        "std_distance": np.std(distances),
        "nearest": seen[0] if seen else prior,
        "entropy": entropy([ratio, 1 - ratio], base=2),
    }


def data(size=130, targets=4, seed=0):
    """Target 0 has all outcomes, 1 most, 2 hardly any, 3 scores between 0 and 1."""
    rng = np.random.default_rng(seed)
    memory = rng.normal(size=(size, 5)).astype(np.float32)
    correct = (rng.random((size, targets)) < 0.6).astype(float)
    correct[:, 3] = rng.random(size).round(2)
    correct[rng.random(size) < 0.3, 1] = np.nan
    correct[rng.random(size) < 0.97, 2] = np.nan
    return memory, correct, rng.normal(size=(12, 5)).astype(np.float32)


@pytest.mark.parametrize("kernel", sorted(KERNELS))
@pytest.mark.parametrize(
    ("size", "threshold"), [(130, 0.5), (60, 0.7)]
)  # with 60, the larger k take all there is
def test_same_as_a_plain_loop(
    kernel: str, size: int, threshold: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, correct, new = data(size)
    monkeypatch.setattr(module, "CHUNK_ELEMENTS", 3 * 100 * 16)  # several chunks, the last one short
    queries, own = np.concatenate([memory[:8], new]), np.concatenate([np.arange(8), np.full(12, -1)])
    found = nearest(memory, queries, 100, own)
    stored = correct.astype(np.float32)  # as a run does: a score of 0.7 is right where 0.7 is wanted
    statistics = neighbour_statistics(*found, stored, kernel, groups=own, threshold=threshold)
    assert statistics.shape == (20, 4, 50)
    assert statistics.dtype == np.float32
    prior = mean_outcomes(correct, own)
    for query in range(20):
        kept = np.arange(size) != own[query]
        search = NearestNeighbors(n_neighbors=min(100, kept.sum()), algorithm="brute").fit(memory[kept])
        distances, rows = (found[0].tolist() for found in search.kneighbors(queries[[query]]))
        for target in range(4):
            outcomes, expected = correct[kept, target][rows].tolist(), {}
            for k in (5, 10, 25, 50, 100):
                found = plain_statistics(distances[:k], outcomes[:k], kernel, prior[query, target], threshold)
                expected.update({f"{name}_k{k}": value for name, value in found.items()})
            np.testing.assert_allclose(
                statistics[query, target], [expected[name] for name in NAMES], rtol=2e-4, atol=1e-5
            )


def test_names_are_fifty_and_distinct() -> None:
    assert len(set(NAMES)) == len(NAMES) == 50
    assert {"ratio_k25", "weighted_k25", "entropy_k100"} <= set(NAMES)


def test_a_target_without_outcomes_and_a_memory_of_copies_are_finite() -> None:
    memory, correct = np.ones((30, 4), np.float32), np.full((30, 2), np.nan)
    correct[:, 1] = np.arange(30) % 2
    own = np.arange(30)
    for kernel in KERNELS:
        statistics = neighbour_statistics(*nearest(memory, memory, 100, own), correct, kernel, groups=own)
        table = dict(zip(NAMES, np.moveaxis(statistics, 2, 0), strict=True))
        assert np.isfinite(statistics).all()
        for name in ("ratio_k5", "weighted_k5", "nearest_k5"):
            np.testing.assert_array_equal(table[name][:, 0], 0.5)
        np.testing.assert_array_equal(table["entropy_k5"][:, 0], 1)
        # Query 0 is row 0, so its five nearest are rows 1 to 5.
        assert table["ratio_k5"][0, 1] == pytest.approx(3 / 5)
        assert table["weighted_k5"][0, 1] == pytest.approx(3 / 5)


def test_a_query_that_is_the_whole_memory_or_meets_none() -> None:
    for size, own in ((1, 0), (0, -1)):
        memory = np.zeros((size, 2), np.float32)
        found = nearest(memory, np.zeros((1, 2), np.float32), 100, np.array([own]))
        statistics = neighbour_statistics(*found, np.ones((size, 1)), groups=np.array([own]))
        table = dict(zip(NAMES, statistics[0, 0], strict=True))
        assert table["ratio_k10"] == 0.5
        assert all(
            table[f"{name}_k10"] == 0 for name in STATISTICS if "correct" in name or "distance" in name
        )


def test_gaussian_weights_do_not_vanish_where_only_a_far_neighbour_is_known() -> None:
    memory = np.array([[0]] * 99 + [[1e6], [2e6]], dtype=np.float32)
    correct = np.array([[np.nan]] * 99 + [[0.25], [1]])
    statistics = neighbour_statistics(*nearest(memory, memory[:1], 100), correct, "gaussian")
    assert dict(zip(NAMES, statistics[0, 0], strict=True))["weighted_k100"] == 0.25


def test_mean_outcomes_leave_out_the_query_and_do_not_tell_its_label() -> None:
    rng = np.random.default_rng(5)
    correct = rng.random((95, 3))
    correct[rng.random((95, 3)) < 0.2] = np.nan
    own = np.concatenate([np.arange(95), [-1]])
    means = mean_outcomes(correct, own)
    np.testing.assert_allclose(means[-1], np.nanmean(correct, axis=0))
    for row in range(95):
        np.testing.assert_allclose(means[row], np.nanmean(correct[np.arange(95) % 10 != row % 10], axis=0))
        flipped = correct.copy()
        flipped[row] = np.where(np.isnan(correct[row]), 1.0, 1 - correct[row])
        np.testing.assert_array_equal(mean_outcomes(flipped, own)[row], means[row])
    assert len(np.unique(means[:-1, 0])) == 10  # 95 rows share ten values, whatever their labels


def test_mean_outcomes_leave_out_all_duplicates_of_the_query() -> None:
    rng = np.random.default_rng(6)
    correct = rng.random((120, 2))
    memory_groups = rng.integers(0, 40, 120) * 7
    groups = np.concatenate([memory_groups, [-1, 1]])
    means = mean_outcomes(correct, groups, memory_groups)
    order = list(dict.fromkeys(memory_groups.tolist()))  # of appearance
    block = np.array([order.index(group) % 10 for group in memory_groups])
    for row in range(120):
        np.testing.assert_allclose(means[row], correct[block != block[row]].mean(axis=0))
        others = correct.copy()
        others[memory_groups == memory_groups[row]] = rng.random(
            (np.sum(memory_groups == memory_groups[row]), 2)
        )
        np.testing.assert_array_equal(mean_outcomes(others, groups, memory_groups)[row], means[row])
    np.testing.assert_allclose(means[-2:], np.tile(correct.mean(axis=0), (2, 1)))
