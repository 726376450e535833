"""Nearest training queries of a query, by Euclidean distance between embeddings (paper section 4.2).

n = rows of a memory (the training rows that may be neighbours), q = queries, d = width of an embedding, N = rows of
all queries, k = neighbours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np

SPARE = 16
"""Extra candidates requested from FAISS, so that rounding hardly ever hides a true neighbour. Queries of a
group with more memory rows than this are searched in a memory without that group."""
ROUNDING = 8.0
"""FAISS's ||x||^2 + ||y||^2 - 2xy is taken to be off by at most this times sqrt(d) eps (||x|| + max ||y||)^2."""
EXHAUSTIVE_ELEMENTS = 2**21
"""Distances held at once where a query is compared with the whole memory."""


@dataclass(frozen=True)
class GroupNeighbours:
    """All N rows' neighbours among the memory of one group."""

    memory: np.ndarray
    """(n,) int64, the memory as numbers of the N rows."""
    memory_groups: np.ndarray
    """(n,) int64, the group of duplicates of each memory row."""
    groups: np.ndarray
    """(N,) int64, the same of each row."""
    distances: np.ndarray
    """(N, k) float32 Euclidean, ascending; inf where there is no neighbour."""
    rows: np.ndarray
    """(N, k) int64 rows of the memory (not of the N); -1 where there is no neighbour."""


def nearest(
    memory: np.ndarray,
    queries: np.ndarray,
    k: int,
    groups: np.ndarray | None = None,
    memory_groups: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Distances (q, k) float32, Euclidean and ascending, and rows (q, k) int64 of the k nearest memory rows.

    `memory` (n, d) and `queries` (q, d) float32, finite. `groups` (q,) int64 is the group of duplicates that a query
    belongs to, or -1 (the default), and `memory_groups` (n,), 0 or more, that of each memory row (by default its
    number): rows of a query's own group are never its neighbours, other rows with the same embedding are. Where the
    memory runs out, row -1 and distance inf. Equal distances are ordered by row.

    FAISS's flat index proposes; the proposals are then measured one by one, without the expansion that loses
    digits, so that a query's result depends neither on the batch it came in nor on the number of threads.
    """
    memory = np.ascontiguousarray(memory, dtype=np.float32)
    queries = np.ascontiguousarray(queries, dtype=np.float32)
    groups = np.full(len(queries), -1) if groups is None else groups
    memory_groups = np.arange(len(memory)) if memory_groups is None else memory_groups
    distances = np.full((len(queries), k), np.inf, dtype=np.float32)
    rows = np.full((len(queries), k), -1, dtype=np.int64)
    if len(memory) == 0:
        return distances, rows
    size = _group_sizes(groups, memory_groups)
    for group in np.unique(groups[size > SPARE]):
        mine, others = np.flatnonzero(groups == group), np.flatnonzero(memory_groups != group)
        distances[mine], found = nearest(memory[others], queries[mine], k)
        rows[mine] = np.where(found < 0, -1, np.append(others, -1)[found])
    few = np.flatnonzero(size <= SPARE)
    if len(few):
        distances[few], rows[few] = _nearest(
            memory, queries[few], k, groups[few], memory_groups, int(size[few].max())
        )
    return distances, rows


def _nearest(
    memory: np.ndarray,
    queries: np.ndarray,
    k: int,
    groups: np.ndarray,
    memory_groups: np.ndarray,
    most: int,
) -> tuple[np.ndarray, np.ndarray]:
    """`nearest` for queries whose groups have at most ``most`` memory rows; the memory is not empty."""
    distances = np.full((len(queries), k), np.inf, dtype=np.float32)
    rows = np.full((len(queries), k), -1, dtype=np.int64)
    width = min(k + max(most, 1) + SPARE, len(memory))
    index, proposer = faiss.IndexFlatL2(memory.shape[1]), faiss.IndexFlatL2(memory.shape[1])
    index.add(memory)
    # Embeddings often share a large mean; without it the expansion keeps more digits of what differs.
    mean = memory.mean(0)
    centred_memory, centred_queries = memory - mean, queries - mean
    proposer.add(centred_memory)
    approximate, candidates = proposer.search(centred_queries, width)
    found = min(k, width)
    allowed = np.where(memory_groups[candidates] == groups[:, None], -1, candidates)
    distances[:, :found], rows[:, :found] = _ranked(index, queries, allowed, k)
    if width < len(memory):
        # Rows that were not proposed lie beyond the last proposal, up to rounding. Where that is not clearly beyond
        # the k-th neighbour (many copies of one text), the whole memory is measured.
        reach = np.linalg.norm(centred_queries, axis=1) + np.linalg.norm(centred_memory, axis=1).max()
        tolerance = ROUNDING * np.sqrt(memory.shape[1]) * np.finfo(np.float32).eps * reach**2
        unclear = np.flatnonzero(distances[:, -1] ** 2 >= approximate[:, -1] - tolerance)
        step = max(1, EXHAUSTIVE_ELEMENTS // len(memory))
        for start in range(0, len(unclear), step):
            some = unclear[start : start + step]
            everything = np.where(memory_groups == groups[some, None], -1, np.arange(len(memory)))
            distances[some], rows[some] = _ranked(index, queries[some], everything, k)
    return distances, rows


def _group_sizes(groups: np.ndarray, memory_groups: np.ndarray) -> np.ndarray:
    """(q,) memory rows in the group of each query."""
    codes, sizes = np.unique(memory_groups, return_counts=True)
    at = np.minimum(np.searchsorted(codes, groups), len(codes) - 1)
    return np.where(codes[at] == groups, sizes[at], 0)


def group_neighbours(
    embedding: np.ndarray, memories: Sequence[np.ndarray], k: int, groups: np.ndarray | None = None
) -> Iterator[GroupNeighbours]:
    """Neighbours of all rows of `embedding` (N, d) among each memory (numbers of rows), leave-one-group-out.

    `groups` (N,) int64 of duplicates, as `outcomes.duplicates` finds them; by default every row is a group of its own.
    """
    groups = np.arange(len(embedding)) if groups is None else groups
    for memory in memories:
        distances, rows = nearest(embedding[memory], embedding, k, groups, groups[memory])
        yield GroupNeighbours(memory, groups[memory], groups, distances, rows)


def _ranked(index: Any, queries: np.ndarray, candidates: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The first k of each query's candidates (q, c) by distance, then by row; -1, no row, comes last.

    `index` is an `IndexFlatL2`, whose type stub lacks the method used here.
    """
    squared = np.empty(candidates.shape, dtype=np.float32)
    # Sums of (x - y)^2, and inf for row -1.
    index.compute_distance_subset(
        len(queries),
        faiss.swig_ptr(queries),
        candidates.shape[1],
        faiss.swig_ptr(squared),
        faiss.swig_ptr(candidates),
    )
    order = np.lexsort((candidates, squared))[:, :k]
    return np.sqrt(np.take_along_axis(squared, order, 1)), np.take_along_axis(candidates, order, 1)
