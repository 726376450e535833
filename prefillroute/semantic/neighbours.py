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
"""Candidates asked of FAISS beyond those wanted, so that rounding hardly ever hides a true neighbour."""
ROUNDING = 8.0
"""FAISS's ||x||^2 + ||y||^2 - 2xy is taken to be off by at most this times sqrt(d) eps (||x|| + max ||y||)^2."""
EXHAUSTIVE_ELEMENTS = 2**21
"""Distances held at once where a query is compared with the whole memory."""


@dataclass(frozen=True)
class GroupNeighbours:
    """All N rows' neighbours among the memory of one group."""

    memory: np.ndarray
    """(n,) int64, the memory as numbers of the N rows."""
    own: np.ndarray
    """(N,) int64, the memory row that a row itself is, or -1."""
    distances: np.ndarray
    """(N, k) float32 Euclidean, ascending; inf where there is no neighbour."""
    rows: np.ndarray
    """(N, k) int64 rows of the memory (not of the N); -1 where there is no neighbour."""


def nearest(
    memory: np.ndarray, queries: np.ndarray, k: int, own: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Distances (q, k) float32, Euclidean and ascending, and rows (q, k) int64 of the k nearest memory rows.

    `memory` (n, d) and `queries` (q, d) float32, finite. `own` (q,) int64 is the memory row that a query itself is,
    or -1: that row is never its neighbour, other rows with the same embedding are. Where the memory runs out, row -1
    and distance inf. Equal distances are ordered by row.

    FAISS's flat index proposes; the proposals are then measured one by one, without the expansion that loses
    digits, so that a query's result depends neither on the batch it came in nor on the number of threads.
    """
    memory = np.ascontiguousarray(memory, dtype=np.float32)
    queries = np.ascontiguousarray(queries, dtype=np.float32)
    own = np.full(len(queries), -1) if own is None else own
    distances = np.full((len(queries), k), np.inf, dtype=np.float32)
    rows = np.full((len(queries), k), -1, dtype=np.int64)
    width = min(k + 1 + SPARE, len(memory))
    if width == 0:
        return distances, rows
    index, proposer = faiss.IndexFlatL2(memory.shape[1]), faiss.IndexFlatL2(memory.shape[1])
    index.add(memory)
    # Embeddings often share a large mean; without it the expansion keeps more digits of what differs.
    mean = memory.mean(0)
    centred_memory, centred_queries = memory - mean, queries - mean
    proposer.add(centred_memory)
    approximate, candidates = proposer.search(centred_queries, width)
    found = min(k, width)
    distances[:, :found], rows[:, :found] = _ranked(index, queries, candidates, own, k)
    if width < len(memory):
        # Rows that were not proposed lie beyond the last proposal, up to rounding. Where that is not clearly beyond
        # the k-th neighbour (many copies of one text), the whole memory is measured.
        reach = np.linalg.norm(centred_queries, axis=1) + np.linalg.norm(centred_memory, axis=1).max()
        tolerance = ROUNDING * np.sqrt(memory.shape[1]) * np.finfo(np.float32).eps * reach**2
        unclear = np.flatnonzero(distances[:, -1] ** 2 >= approximate[:, -1] - tolerance)
        step = max(1, EXHAUSTIVE_ELEMENTS // len(memory))
        for start in range(0, len(unclear), step):
            some = unclear[start : start + step]
            everything = np.tile(np.arange(len(memory)), (len(some), 1))
            distances[some], rows[some] = _ranked(index, queries[some], everything, own[some], k)
    return distances, rows


def group_neighbours(
    embedding: np.ndarray, memories: Sequence[np.ndarray], k: int
) -> Iterator[GroupNeighbours]:
    """Neighbours of all rows of `embedding` (N, d) among each group's memory (numbers of rows), leave-one-out."""
    for memory in memories:
        own = np.full(len(embedding), -1)
        own[memory] = np.arange(len(memory))
        distances, rows = nearest(embedding[memory], embedding, k, own)
        yield GroupNeighbours(memory, own, distances, rows)


def _ranked(
    index: Any, queries: np.ndarray, candidates: np.ndarray, own: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The first k of each query's candidates (q, c) by distance, then by row; `own` comes last, as no row.

    `index` is an `IndexFlatL2`, whose type stub lacks the method used here.
    """
    candidates = np.where(candidates == own[:, None], -1, candidates)
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
