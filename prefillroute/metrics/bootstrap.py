"""Resampling of queries as integer weights, and percentile intervals."""

from collections.abc import Iterator

import numpy as np


def resample_weights(
    num_queries: int, num_resamples: int, seed: int, chunk: int = 200
) -> Iterator[np.ndarray]:
    """Draw bootstrap resamples of queries, as how often each query is drawn.

    The draw depends on `seed` alone, not on `chunk`, which only bounds memory: two routers compared on the same
    queries with the same seed meet the same resamples (a paired comparison).

    Yields:
        (at most chunk, num_queries) float64 weights; every row sums to num_queries.
    """
    generator = np.random.default_rng(seed)
    for start in range(0, num_resamples, chunk):
        size = min(chunk, num_resamples - start)
        weights = np.empty((size, num_queries))
        for row in range(size):
            drawn = generator.integers(0, num_queries, num_queries)
            weights[row] = np.bincount(drawn, minlength=num_queries)
        yield weights


def interval(
    samples: np.ndarray, level: float = 0.95, centre: float | None = None
) -> tuple[float, float] | None:
    """Return the percentile interval of one metric over resamples.

    Args:
        samples: (B,); NaN = undefined in that resample (left out), inf = never reached there (kept).
        level: share of the resamples inside.
        centre: move the samples so that this is their mean. For ECE: resampling repeats queries, which makes bins look
            more uneven than they are, so that the plain interval may not even hold the estimate itself.

    Returns:
        (low, high), or None where the metric is undefined in every resample. Order statistics, not interpolated, so
        that an infinite value stays where it belongs.
    """
    defined = samples[~np.isnan(samples)]
    if len(defined) == 0:
        return None
    if centre is not None and np.isfinite(centre):
        defined = defined + (centre - defined.mean())
    tail = (1.0 - level) / 2.0
    low = float(np.quantile(defined, tail, method="lower"))
    high = float(np.quantile(defined, 1.0 - tail, method="higher"))
    return low, high
