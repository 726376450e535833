"""Several outcomes of one target on one query: samples of its chance, or a log joined to itself."""

from collections.abc import Mapping

import numpy as np

REPEATS = ("error", "mean", "first")
"""Refuse them; take the mean as a soft label; keep the first."""


def first_repeat(cells: np.ndarray) -> int | None:
    """Index of the first outcome whose cell was there before.

    Args:
        cells: (rows,) int; equal for the same target and query.
    """
    _, first, inverse = np.unique(cells, return_index=True, return_inverse=True)
    repeated = first[inverse] < np.arange(len(cells))
    return int(np.argmax(repeated)) if repeated.any() else None


def merged(
    cells: np.ndarray, values: Mapping[str, np.ndarray], how: str
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """One outcome per cell, in order of appearance.

    Args:
        cells: (rows,) int.
        values: name -> (rows,) float64, NaN where unknown.
        how: `mean` of what is known, or `first`.

    Returns:
        (kept,) index of each cell's first row, and name -> (kept,) float64.
    """
    _, first, inverse = np.unique(cells, return_index=True, return_inverse=True)
    order = np.argsort(first)
    kept = first[order]
    if how == "first":
        return kept, {name: column[kept] for name, column in values.items()}
    means = {}
    for name, column in values.items():
        known = ~np.isnan(column)
        count = np.bincount(inverse[known], minlength=len(first))
        total = np.bincount(inverse[known], weights=column[known], minlength=len(first))
        mean = np.full(len(first), np.nan)
        np.divide(total, count, out=mean, where=count > 0)
        means[name] = mean[order]
    return kept, means
