import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.neighbors import NearestNeighbors

from prefillroute.semantic import neighbours
from prefillroute.semantic.neighbours import group_neighbours, nearest

WIDTH = 512
"""With 300 queries or more, wide enough for FAISS to expand the squares (128,000 elements in version 1.15)."""


def brute_force(memory, queries, k, groups, memory_groups=None):
    """By distance, then row, in float64; rows of the query's own group left out, by default the row itself."""
    memory_groups = np.arange(len(memory)) if memory_groups is None else memory_groups
    distances, rows = np.full((len(queries), k), np.inf), np.full((len(queries), k), -1)
    for number, query in enumerate(queries.astype(float)):
        apart = np.sqrt(((memory.astype(float) - query) ** 2).sum(1))
        order = [
            row for row in np.lexsort((np.arange(len(memory)), apart)) if memory_groups[row] != groups[number]
        ][:k]
        distances[number, : len(order)], rows[number, : len(order)] = apart[order], order
    return distances, rows


@settings(max_examples=60, deadline=None)
@given(
    st.data(),
    st.integers(0, 60),
    st.integers(1, 30),
    # Small whole numbers: many ties and copies, and distances that float32 holds exactly.
    st.integers(0, 2),
)
def test_same_as_brute_force_with_ties_and_copies(data, size, k, spread) -> None:
    memory = data.draw(arrays(np.float32, (size, 3), elements=st.integers(-spread, spread)))
    queries = np.concatenate([memory[:20], np.full((2, 3), 1, np.float32)])
    own = np.concatenate([np.arange(len(memory[:20])), [-1, -1]])
    distances, rows = nearest(memory, queries, k, own)
    expected, expected_rows = brute_force(memory, queries, k, own)
    np.testing.assert_array_equal(rows, expected_rows)
    np.testing.assert_allclose(distances, expected, rtol=1e-6)
    assert distances.dtype == np.float32
    assert rows.dtype == np.int64


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    size=st.integers(1, 90),
    k=st.integers(1, 30),
    # One group may be most of the memory, far more than FAISS is asked for at once; or all are alone.
    num_groups=st.sampled_from([1, 2, 3, 20, 1000]),
    spare=st.sampled_from([0, 3, 16]),
)
def test_duplicates_of_a_query_are_never_its_neighbours(seed, size, k, num_groups, spare) -> None:
    rng = np.random.default_rng(seed)
    memory = rng.integers(-2, 3, (size, 3)).astype(np.float32)
    memory_groups = rng.integers(0, num_groups, size)
    queries = np.concatenate([memory, rng.integers(-2, 3, (6, 3)).astype(np.float32)])
    groups = np.concatenate([memory_groups, [-1, -1, 5000, *rng.integers(0, num_groups, 3)]])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "SPARE", spare)
        distances, rows = nearest(memory, queries, k, groups, memory_groups)
    expected, expected_rows = brute_force(memory, queries, k, groups, memory_groups)
    np.testing.assert_array_equal(rows, expected_rows)
    np.testing.assert_allclose(distances, expected, rtol=1e-6)


def test_same_as_scikit_learn_without_own_rows() -> None:
    rng = np.random.default_rng(0)
    memory, queries = (rng.normal(size=(size, 24)).astype(np.float32) for size in (300, 40))
    distances, rows = nearest(memory, queries, 100)
    expected, expected_rows = (
        NearestNeighbors(n_neighbors=100, algorithm="brute").fit(memory).kneighbors(queries)
    )
    np.testing.assert_array_equal(rows, expected_rows)
    np.testing.assert_allclose(distances, expected, rtol=1e-4)


def test_copies_beyond_the_proposals_come_by_row_number() -> None:
    rng = np.random.default_rng(1)
    memory = rng.normal(size=(400, WIDTH)).astype(np.float32)
    copies = np.sort(rng.permutation(400)[:200])
    memory[copies] = memory[copies[0]]
    distances, rows = nearest(memory, memory, 20, np.arange(400))
    for copy in copies:
        np.testing.assert_array_equal(rows[copy], copies[copies != copy][:20])
    assert (distances[copies] == 0).all()


def test_what_rounding_hides_from_the_proposals_is_found() -> None:
    rng = np.random.default_rng(2)
    # Two far clusters: FAISS's expansion subtracts squares of 185,000 to find distances of about 30, in noise.
    memory = (np.round(rng.normal(size=(300, WIDTH)) * 64) / 64).astype(np.float32)
    memory[rng.permutation(300)[:150]] += 16384
    distances, rows = nearest(memory, memory, 20, np.arange(300))
    expected, expected_rows = brute_force(memory, memory, 20, np.arange(300))
    np.testing.assert_array_equal(rows, expected_rows)
    np.testing.assert_allclose(distances, expected, rtol=1e-6)


def test_a_large_common_mean_costs_no_digits_and_no_second_search(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    # Multiples of 1/64 keep their distances when 64 is added.
    memory = np.round(rng.normal(size=(300, WIDTH)) * 64).astype(np.float32) / 64
    searched = []
    ranked = neighbours._ranked
    monkeypatch.setattr(
        neighbours, "_ranked", lambda *arguments: searched.append(arguments[2].shape) or ranked(*arguments)
    )
    near = nearest(memory, memory, 10, np.arange(300))
    far = nearest(memory + 64, memory + 64, 10, np.arange(300))
    np.testing.assert_array_equal(near[1], far[1])
    np.testing.assert_array_equal(near[0], far[0])
    assert searched == [(300, 27), (300, 27)]


def test_result_depends_neither_on_the_batch_nor_on_threads() -> None:
    rng = np.random.default_rng(3)
    memory, queries = (rng.normal(size=(size, WIDTH)).astype(np.float32) for size in (600, 300))
    together = nearest(memory, queries, 50)
    for size in (1, 7, 133):
        parts = [nearest(memory, queries[start : start + size], 50) for start in range(0, 2 * size, size)]
        for one, whole in zip(map(np.concatenate, zip(*parts, strict=True)), together, strict=True):
            np.testing.assert_array_equal(one, whole[: 2 * size])
    threads = faiss.omp_get_max_threads()
    try:
        for count in (1, 3):
            faiss.omp_set_num_threads(count)
            for again, whole in zip(nearest(memory, queries, 50), together, strict=True):
                np.testing.assert_array_equal(again, whole)
    finally:
        faiss.omp_set_num_threads(threads)


def test_fewer_rows_than_neighbours() -> None:
    memory = np.array([[0, 0], [3, 4], [0, 0]], dtype=np.float32)
    distances, rows = nearest(memory, memory[:2], 4, np.array([0, -1]))
    np.testing.assert_array_equal(rows, [[2, 1, -1, -1], [1, 0, 2, -1]])
    np.testing.assert_array_equal(distances, [[0, 5, np.inf, np.inf], [0, 5, 5, np.inf]])
    for size in (0, 1):
        distances, rows = nearest(memory[:size], memory[:1], 2, np.array([size - 1]))
        assert (rows == -1).all()
        assert np.isinf(distances).all()


@pytest.mark.parametrize("duplicates", [np.arange(50), np.arange(50) // 7, None])
def test_groups_search_their_own_memory_leave_one_group_out(duplicates) -> None:
    rng = np.random.default_rng(4)
    embedding = rng.normal(size=(50, 6)).astype(np.float32)
    memories = [np.arange(40), np.flatnonzero(np.arange(40) % 3)]
    wanted = np.arange(50) if duplicates is None else duplicates
    found_all = group_neighbours(embedding, memories, 5, duplicates)
    for memory, found in zip(memories, found_all, strict=True):
        expected, expected_rows = brute_force(embedding[memory], embedding, 5, wanted, wanted[memory])
        np.testing.assert_array_equal(found.groups, wanted)
        np.testing.assert_array_equal(found.memory_groups, wanted[memory])
        np.testing.assert_array_equal(found.memory, memory)
        np.testing.assert_array_equal(found.rows, expected_rows)
        np.testing.assert_allclose(found.distances, expected, rtol=1e-5)
