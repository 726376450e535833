"""Checks before anything is written: no NaN, no inf, no silent all-zero row, no loss by a smaller dtype."""

from collections.abc import Sequence

import numpy as np

from prefillroute.errors import UserError

RELATIVE_ERROR = 1e-3
ERROR_OF_ROW_MAXIMUM = 1e-6


def check_activations(
    values: np.ndarray, names: Sequence[str], layer_ids: Sequence[int], pooling: str
) -> None:
    """Refuse activations that cannot be right.

    Args:
        values: (B, layers, H) float32.
        names: B query ids, for the message.
        layer_ids: what axis 1 holds.
        pooling: for the message.

    Raises:
        UserError: names the query, the layer and the pooling of the first bad vector.
    """
    # One pass: a sum of squares is finite iff all elements are (short of overflow, settled element-wise).
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.einsum("blh,blh->bl", values, values)
    suspects = ~np.isfinite(squares) | (squares == 0)
    for row, position in np.argwhere(suspects):
        vector = values[row, position]
        where = f"query {names[row]}, layer {layer_ids[position]}, pooling {pooling}"
        if np.isnan(vector).any():
            raise UserError(f"{where}: activation is NaN, finite values wanted; try extraction.dtype=float32")
        if np.isinf(vector).any():
            raise UserError(
                f"{where}: activation is infinite, finite values wanted; try extraction.dtype=float32"
            )
        if not vector.any():
            raise UserError(
                f"{where}: activation is zero in all {len(vector)} elements, a non-zero vector wanted"
            )


def to_storage(
    values: np.ndarray, dtype: str, names: Sequence[str], layer_ids: Sequence[int], pooling: str
) -> np.ndarray:
    """Cast if every element keeps |error| <= 1e-3 |x| + 1e-6 max|row| (DESIGN section 6).

    bfloat16 is not on offer: its rounding, 2^-9, is more than that for half of all numbers.

    Args:
        values: (B, layers, H) float32.
        dtype: `float32` or `float16`.
        names: B query ids, for the message.
        layer_ids: what axis 1 holds.
        pooling: for the message.

    Returns:
        (B, layers, H) of `dtype`, little-endian.

    Raises:
        UserError: an element would lose more; names query, layer and both values.
    """
    if dtype == "float32":
        return values.astype("<f4", copy=False)
    with np.errstate(over="ignore", invalid="ignore"):
        stored = values.astype(np.dtype(dtype).newbyteorder("<"))
        error = np.abs(stored.astype(np.float32) - values)
    magnitude = np.abs(values)
    bad = ~(
        error <= RELATIVE_ERROR * magnitude + ERROR_OF_ROW_MAXIMUM * magnitude.max(axis=-1, keepdims=True)
    )
    if bad.any():
        row, position, element = np.argwhere(bad)[0]
        raise UserError(
            f"query {names[row]}, layer {layer_ids[position]}, pooling {pooling}: {dtype} would turn "
            f"{values[row, position, element]:.6g} into {stored[row, position, element]:.6g}; "
            "wanted a relative error of at most 0.001: use extraction.storage_dtype=float32"
        )
    return stored
