"""When costs count as equal: one tolerance, in one place (DESIGN section 5).

Two sums of the same prices in a different order differ in the last digits. Code that asks which target is cheaper, or
whether a cost is within a budget, asks here, so that rounding never looks like a difference in price. The tolerance is
relative to the greatest cost of the row. It cannot be relative to the spread of the costs, which is 0 (or rounding)
where all of them are equal.
"""

import numpy as np

# M = targets; leading axes are queries or resamples

TOLERANCE = 1e-9
"""Share of the greatest cost below which a difference is rounding: sums over 10^6 queries stay far below it."""


def tolerance(cost: np.ndarray) -> np.ndarray:
    """Difference up to which costs of a row (..., M) are equal: (..., 1); NaN and infinity are ignored."""
    return TOLERANCE * np.max(cost, axis=-1, keepdims=True, where=np.isfinite(cost), initial=0.0)


def level_costs(cost: np.ndarray) -> np.ndarray:
    """Give costs of a row (..., M) that are equal within rounding a single value, the least of them.

    Example:
        >>> level_costs(np.array([0.1 + 0.2, 0.3, 1.0])).tolist()
        [0.3, 0.3, 1.0]
    """
    return level(cost, tolerance(cost))


def level(values: np.ndarray, gap: np.ndarray | float) -> np.ndarray:
    """Give values of a row (..., M) that are within `gap` of each other a single value, the least; NaN stays.

    Equality is made transitive: a chain of values, each within the gap of the next, becomes one value. After that,
    ``==`` and ``<`` are exact, and the order of a row's entries has no influence.
    """
    order = np.argsort(values, axis=-1, kind="stable")
    rising = np.take_along_axis(values, order, axis=-1)
    opens = np.ones(values.shape, dtype=bool)
    opens[..., 1:] = ~(np.diff(rising, axis=-1) <= gap)
    start = np.maximum.accumulate(np.where(opens, np.arange(values.shape[-1]), 0), axis=-1)
    levelled = np.empty_like(rising)
    np.put_along_axis(levelled, order, np.take_along_axis(rising, start, axis=-1), axis=-1)
    return levelled


def first_cheapest(cost: np.ndarray, among: np.ndarray | bool = True) -> np.ndarray:
    """Index of the cheapest entry of every row; ties go to the first, that is, to pool order.

    Args:
        cost: (..., M) USD; an unknown cost (NaN) is dearer than any other.
        among: (..., M) true for the entries that may be taken, at least one in each row.

    Returns:
        (...) indices.

    Example:
        >>> first_cheapest(np.array([[3.0, 1.0, 1.0]]))
        array([1])
    """
    allowed = np.where(among & ~np.isnan(cost), cost, np.inf)
    least = allowed.min(axis=-1, keepdims=True)
    return ((allowed <= least + tolerance(cost)) & among).argmax(axis=-1)


def within(cost: np.ndarray, budget: float) -> np.ndarray:
    """Whether costs are at most a budget, up to rounding.

    Example:
        >>> within(np.array([0.1 + 0.2, 0.31]), budget=0.3)
        array([ True, False])
    """
    return cost <= budget * (1.0 + TOLERANCE)
