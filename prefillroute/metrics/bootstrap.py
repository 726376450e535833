"""Resampling of queries as integer weights, and percentile intervals."""

from collections.abc import Iterator

import numpy as np


def resample_weights(
    num_queries: int, num_resamples: int, seed: int, chunk: int = 200
) -> Iterator[np.ndarray]:
    """Draw bootstrap resamples of queries, each given as the number of times every query is drawn.

    The draw depends on `seed` alone; `chunk` only bounds memory. Two routers compared on the same queries with
    the same seed therefore meet the same resamples (a paired comparison).

    Yields:
        (at most chunk, num_queries) float64 weights; every row sums to num_queries.

    Example:
        >>> weights = next(resample_weights(num_queries=5, num_resamples=3, seed=0))
        >>> weights.sum(axis=1)
        array([5., 5., 5.])
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
        level: share of the resamples that the interval contains.
        centre: value that becomes the mean of the samples by shifting them. ECE needs this: resampling repeats
            queries, which makes bins look more uneven than they are, so the plain interval may not even contain
            the estimate itself.

    Returns:
        (low, high), or None where the metric is undefined in every resample. Both are order statistics without
        interpolation, so an infinite value is never averaged with a finite one.

    Example:
        >>> interval(np.arange(101.0), level=0.5)
        (25.0, 75.0)
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
