"""What the outcomes of a query's neighbours say about every target: the paper's kNN features (section 4.2).

q = queries, K = neighbours of each, n = rows of the memory they come from, M = targets, S = neighbourhood sizes.
The paper names three of its ten statistics; the other seven are ours.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy.special import entr

KS = (5, 10, 25, 50, 100)
STATISTICS = (
    "ratio",
    "weighted",
    "mean_correct",
    "min_correct",
    "mean_incorrect",
    "min_incorrect",
    "mean_distance",
    "std_distance",
    "nearest",
    "entropy",
)
NAMES = tuple(f"{statistic}_k{k}" for k in KS for statistic in STATISTICS)
"""Columns of a target: all statistics of the smallest neighbourhood first."""
KERNELS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "inverse": lambda distances, mean: 1 / (distances + 1e-6),
    # Where all neighbours are copies of the query, h = 0 and all distances are 0. No weight is 0, or a target seen
    # on the farthest neighbours only would have no mean.
    "gaussian": lambda distances, mean: np.maximum(
        np.exp(-0.5 * (distances / np.where(mean > 0, mean, 1)) ** 2), np.finfo(np.float64).tiny
    ),
    "uniform": lambda distances, mean: np.ones_like(distances + mean),
}
"""Weights of neighbours from distances (q, 1, K) and the neighbourhoods' mean distances h (q, S, 1)."""
CHUNK_ELEMENTS = 2**21
"""Neighbours' labels held at once, in float64."""
BLOCKS = 10
"""Parts of a memory between which mean outcomes are cross-fitted."""


def neighbour_statistics(
    distances: np.ndarray,
    rows: np.ndarray,
    correct: np.ndarray,
    kernel: str = "inverse",
    ks: Sequence[int] = KS,
    groups: np.ndarray | None = None,
    memory_groups: np.ndarray | None = None,
    threshold: float = 0.5,
) -> np.ndarray:
    """Statistics (q, M, 10 S) float32 of the first k neighbours, for each k of `ks`; columns as in `NAMES`.

    `distances` (q, K) ascending and `rows` (q, K) are those of `neighbours.nearest`, K >= max(ks); `correct` (n, M)
    are the memory's outcomes in [0, 1], NaN = missing, and a neighbour whose outcome is missing is left out for that
    target. `groups` (q,) and `memory_groups` (n,) are those given to `nearest`.

    - `ratio`: mean outcome; `weighted`: the same, weighted by `kernel`, one of `KERNELS`; `nearest`: outcome of the
      nearest; `entropy`: of the ratio, in bits. With no outcome among the k: `mean_outcomes` of the target.
    - `mean_correct`, `min_correct`: distance to neighbours with an outcome of at least `threshold`; `mean_incorrect`,
      `min_incorrect`: below it. With no such neighbour: distance of the last of the k, so that all is finite.
    - `mean_distance`, `std_distance` (denominator k): over all k, whatever is known of their outcomes.
    Where the memory has fewer than k rows, of those it has; where it has none, distances are 0.
    """
    assert distances.shape[1] >= max(ks), "more neighbours requested than searched"
    right = correct >= threshold  # as the outcomes are stored: 0.7 in float32 is less than 0.7
    labels = np.asarray(correct, dtype=np.float64)
    seen = ~np.isnan(labels)
    filled = np.where(seen, labels, 0.0)
    table = np.concatenate([filled, seen, right, seen & ~right], axis=1)  # (n, 4 M)
    table = np.pad(table, ((0, 1), (0, 0)))  # row -1, no neighbour, is seen by no target
    prior = mean_outcomes(labels, np.full(len(rows), -1) if groups is None else groups, memory_groups)
    result = np.empty((len(rows), labels.shape[1], len(ks), len(STATISTICS)), dtype=np.float32)
    step = max(1, CHUNK_ELEMENTS // (rows.shape[1] * table.shape[1]))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        result[part] = _statistics(distances[part], rows[part], table, prior[part], kernel, ks)
    return result.reshape(len(rows), labels.shape[1], -1)


def mean_outcomes(
    correct: np.ndarray, groups: np.ndarray, memory_groups: np.ndarray | None = None
) -> np.ndarray:
    """(q, M) float64 mean outcome of each target over the memory `correct` (n, M), NaN = missing; 0.5 if unknown.

    For a query whose group is in the memory (`groups` (q,), -1 for none; `memory_groups` (n,), by default the row's
    number): over the groups of the other nine tenths (in order of appearance, modulo ten). The group's own outcomes
    must not enter; leaving out only those would write them into the mean's last digits, (sum - y) / (n - 1), where a
    tree reads them.
    """
    memory_groups = np.arange(len(correct)) if memory_groups is None else memory_groups
    position, codes = pd.factorize(memory_groups)  # (n,) place of each row's group in order of appearance
    own = pd.Index(codes).get_indexer(groups)  # (q,) that of each query's, -1 where the memory has none of it
    seen = ~np.isnan(correct)
    members = position % BLOCKS == np.arange(BLOCKS)[:, None]  # (blocks, n)
    others = np.vstack([1 - np.eye(BLOCKS), np.ones(BLOCKS)])  # last: all blocks
    sums = others @ (members @ np.where(seen, correct, 0.0))
    counts = others @ (members.astype(np.float64) @ seen)
    means = _divided(sums, counts, np.array(0.5))
    return means[np.where(own < 0, BLOCKS, own % BLOCKS)]


def _statistics(
    distances: np.ndarray,
    rows: np.ndarray,
    table: np.ndarray,
    prior: np.ndarray,
    kernel: str,
    ks: Sequence[int],
) -> np.ndarray:
    """(q, M, S, 10) for a few queries; `table` (n + 1, 4 M) holds outcome, seen, correct, incorrect."""
    num_queries, depth = rows.shape
    found = rows >= 0
    distances = np.where(found, distances, 0).astype(np.float64)
    within = found[:, None] & (np.arange(depth) < np.asarray(ks)[:, None])  # (q, S, K)
    counts = within.sum(2)
    mean = (within * distances[:, None]).sum(2) / np.maximum(counts, 1)
    variance = (within * (distances[:, None] - mean[:, :, None]) ** 2).sum(2) / np.maximum(counts, 1)
    last = np.take_along_axis(distances, np.maximum(counts - 1, 0), 1)[:, :, None]  # (q, S, 1)
    weights = within * KERNELS[kernel](distances[:, None], mean[:, :, None])

    labels = table[rows]  # (q, K, 4 M)
    sums = np.concatenate([within, within * distances[:, None], weights], axis=1) @ labels  # (q, 3 S, 4 M)
    plain, lengths, weighted = np.moveaxis(sums.reshape(num_queries, 3, len(ks), 4, -1), (1, 3), (0, 1))
    # From here on, results are (q, S, M), and `plain`, `lengths` and `weighted` are (4, q, S, M).
    prior = prior[:, None]
    ratio = _divided(plain[0], plain[1], prior)

    # Neighbours are sorted, so the nearest of a kind (seen, correct, incorrect) is the first; K = there is none.
    ranks = np.arange(depth, dtype=np.int16)[:, None]
    kinds = labels[:, :, prior.shape[2] :] > 0
    first = np.where(kinds, ranks, np.int16(depth)).min(1).astype(np.int64)  # (q, 3 M)
    at = np.minimum(first, depth - 1)
    lowest = np.take_along_axis(distances, at, 1)[:, None]
    inside = first[:, None] < counts[:, :, None]
    _, min_correct, min_incorrect = np.split(np.where(inside, lowest, last), 3, axis=2)
    outcome = np.take_along_axis(labels[:, :, : prior.shape[2]], np.split(at, 3, axis=1)[0][:, None], 1)

    parts = (
        ratio,
        _divided(weighted[0], weighted[1], prior),
        _divided(lengths[2], plain[2], last),
        min_correct,
        _divided(lengths[3], plain[3], last),
        min_incorrect,
        np.broadcast_to(mean[:, :, None], ratio.shape),
        np.broadcast_to(np.sqrt(variance)[:, :, None], ratio.shape),
        np.where(plain[1] > 0, outcome, prior),
        (entr(ratio) + entr(1 - ratio)) / np.log(2),
    )
    return np.stack(parts, axis=3).transpose(0, 2, 1, 3)


def _divided(sums: np.ndarray, counts: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Sums over counts; `otherwise` where the count is 0."""
    there = counts > 0
    return np.where(there, sums / np.where(there, counts, 1), otherwise)
