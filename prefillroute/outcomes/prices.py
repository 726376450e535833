"""Prices of a pool's targets, checked (USD per 10^6 tokens)."""

import math
from collections.abc import Sequence

import numpy as np

from prefillroute.config.facts import TargetConfig
from prefillroute.errors import UserError

FREE = "free"
"""A price of zero counts only where `price_date` says this word: most zeros are forgotten prices."""


def check_prices(targets: Sequence[TargetConfig]) -> tuple[np.ndarray, np.ndarray]:
    """Prices per target; NaN where the pool has none.

    Returns:
        price_in (M,), price_out (M,).

    Raises:
        UserError: for a NaN, infinite or negative price, one price without the other, or an unexplained zero.
    """
    for target in targets:
        for key in ("price_in", "price_out"):
            price = getattr(target, key)
            where = f"target '{target.name}': {key}"
            if price is None:
                if (target.price_in is None) != (target.price_out is None):
                    raise UserError(f"{where} is missing; expected both prices or neither")
            elif math.isnan(price) or math.isinf(price) or price < 0:
                raise UserError(f"{where} is {price}; expected USD per 10^6 tokens, 0 or more")
            elif price == 0 and FREE not in (target.price_date or "").lower():
                raise UserError(f"{where} is 0; expected more, or a price_date that says '{FREE}'")
    return (
        np.array([np.nan if target.price_in is None else target.price_in for target in targets]),
        np.array([np.nan if target.price_out is None else target.price_out for target in targets]),
    )


def token_cost(
    prompt_tokens: np.ndarray, completion_tokens: np.ndarray, price_in: np.ndarray, price_out: np.ndarray
) -> np.ndarray:
    """Equation 2 in USD; tokens (..., M), prices (M,) in USD per 10^6 tokens; NaN where one is unknown."""
    return (prompt_tokens * price_in + completion_tokens * price_out) / 1e6
