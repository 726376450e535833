"""Checks before anything is written: no NaN, no inf, no silent all-zero row, no precision lost to a smaller dtype."""

from collections.abc import Sequence

import numpy as np

from prefillroute.errors import UserError

RELATIVE_ERROR = 1e-3
ERROR_OF_ROW_MAXIMUM = 1e-6


def check_activations(
    values: np.ndarray, names: Sequence[str], layer_ids: Sequence[int], pooling: str
) -> None:
    """Refuse activations that cannot be correct.

    Args:
        values: (B, layers, H) float32.
        names: B query ids, for the message.
        layer_ids: the layers along axis 1.
        pooling: for the message.

    Raises:
        UserError: a vector is invalid; the message names the query, layer and pooling of the first one.
    """
    # One pass suffices: a sum of squares is finite iff all elements are (overflow is then checked element-wise).
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.einsum("blh,blh->bl", values, values)
    suspects = ~np.isfinite(squares) | (squares == 0)
    for row, position in np.argwhere(suspects):
        vector = values[row, position]
        where = f"query {names[row]}, layer {layer_ids[position]}, pooling {pooling}"
        if np.isnan(vector).any():
            raise UserError(
                f"{where}: activation: expected finite values, found NaN; try request.dtype=float32"
            )
        if np.isinf(vector).any():
            raise UserError(
                f"{where}: activation: expected finite values, found infinity; try request.dtype=float32"
            )
        if not vector.any():
            raise UserError(
                f"{where}: activation: expected a non-zero vector, found zero in all {len(vector)} elements"
            )


def to_storage(
    values: np.ndarray, dtype: str, names: Sequence[str], layer_ids: Sequence[int], pooling: str
) -> np.ndarray:
    """Cast if every element keeps |error| <= 1e-3 |x| + 1e-6 max|row| (DESIGN section 6).

    bfloat16 is not offered: its rounding error of 2^-9 exceeds that bound for half of all numbers.

    Args:
        values: (B, layers, H) float32.
        dtype: `float32` or `float16`.
        names: B query ids, for the message.
        layer_ids: the layers along axis 1.
        pooling: for the message.

    Returns:
        (B, layers, H) of `dtype`, little-endian.

    Raises:
        UserError: an element would lose more precision; the message names query, layer and both values.
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
            f"query {names[row]}, layer {layer_ids[position]}, pooling {pooling}: {dtype}: expected a relative "
            f"error of at most 0.001, found {values[row, position, element]:.6g} turned into "
            f"{stored[row, position, element]:.6g}; use request.storage_dtype=float32"
        )
    return stored
