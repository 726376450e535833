"""The assignment behind splits, folds and subsets: every part gets its share of each stratum, and groups stay whole.

Units (groups of rows) are shuffled. A unit's rank q in its stratum is the share of the stratum's rows that come before
it, in [0, 1). In the order of q, every stretch of units holds all strata in proportion; cutting this order at the given
shares therefore gives exact totals, with strata off by about one unit. No loop over rows is needed.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd


def assign_parts(strata: np.ndarray, groups: np.ndarray, shares: Sequence[float], seed: int) -> np.ndarray:
    """Assign rows to parts with given shares; rows of one group go to the same part.

    Args:
        strata: (N,) int codes from 0; a group belongs to the stratum of its first row.
        groups: (N,) int codes from 0.
        shares: shares of the P parts, which sum to 1.
        seed: seed of the shuffle.

    Returns:
        (N,) part of each row, 0 .. P-1. The parts' totals are off by less than one row plus the largest group.
    """
    if len(strata) == 0:
        return np.empty(0, dtype=np.int64)
    rng = np.random.default_rng(seed)
    _, first, unit = np.unique(groups, return_index=True, return_inverse=True)
    weight = np.bincount(unit)
    order = within_stratum_order(strata[first], weight, rng.permutation(len(first)), rng)
    before = np.cumsum(weight[order]) - weight[order] / 2
    cuts = np.cumsum(shares)[:-1] * len(strata)
    part = np.empty(len(first), dtype=np.int64)
    part[order] = np.searchsorted(cuts, before, side="right")
    return part[unit]


def within_stratum_order(
    strata: np.ndarray, weight: np.ndarray, shuffled: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Order U units so that every stretch of them has the strata in proportion.

    Args:
        strata: (U,) stratum of each unit.
        weight: (U,) rows of each unit.
        shuffled: (U,) units in random order.
        rng: draws an offset within its first step for each stratum, so that small strata do not all start together.

    Returns:
        (U,) units, in order.
    """
    by_stratum = shuffled[np.argsort(strata[shuffled], kind="stable")]
    codes = strata[by_stratum]
    size = weight[by_stratum].astype(np.float64)
    total = np.bincount(codes, weights=size)
    before = np.cumsum(size) - size
    before -= (np.cumsum(total) - total)[codes]
    offset = rng.random(len(total))[codes]
    rank = (before + offset * size) / total[codes]
    return by_stratum[np.argsort(rank, kind="stable")]


def merge_small(codes: np.ndarray, coarser: np.ndarray, least: int) -> np.ndarray:
    """Merge strata of fewer than ``least`` rows, first within their coarser stratum, then all that are still small.

    Args:
        codes: (N,) int stratum codes.
        coarser: (N,) int codes of a coarser partition (the benchmark, where strata are benchmark x agreement class).
        least: rows that a stratum must have.

    Returns:
        (N,) int codes from 0, without gaps.
    """
    offset = int(codes.max(initial=-1)) + 1
    merged = np.where(_counts(codes) < least, offset + coarser, codes)
    merged = np.where(_counts(merged) < least, offset + int(coarser.max(initial=-1)) + 1, merged)
    return np.unique(merged, return_inverse=True)[1]


def hash_order(names: pd.Series) -> np.ndarray:
    """Shuffle names by their hashes: (N,) positions. A name's place relative to others depends on the names alone."""
    keys = [hashlib.sha256(name.encode()).digest()[:8] for name in names]
    return np.argsort(np.array([int.from_bytes(key, "big") for key in keys], dtype=np.uint64), kind="stable")


def _counts(codes: np.ndarray) -> np.ndarray:
    _, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    return counts[inverse]
