"""Checks the prices of a pool's targets (USD per 10^6 tokens) and applies them."""

import math
from collections.abc import Sequence

import numpy as np

from prefillroute.config.facts import TargetConfig
from prefillroute.errors import UserError

FREE = "free"
"""A price of zero is accepted only if `price_date` contains this word: most zeros are prices that somebody forgot."""


def check_prices(targets: Sequence[TargetConfig]) -> tuple[np.ndarray, np.ndarray]:
    """Check the prices of all targets.

    Returns:
        price_in (M,) and price_out (M,); NaN where the pool gives no price.

    Raises:
        UserError: a price is NaN, infinite or negative, is given without the other one, or is an unexplained zero.
    """
    for target in targets:
        for key in ("price_in", "price_out"):
            price = getattr(target, key)
            where = f"target '{target.name}': {key}"
            if price is None:
                if (target.price_in is None) != (target.price_out is None):
                    raise UserError(f"{where}: expected both prices or neither, found only the other")
            elif math.isnan(price) or math.isinf(price) or price < 0:
                raise UserError(f"{where}: expected USD per 10^6 tokens, 0 or more, found {price}")
            elif price == 0 and FREE not in (target.price_date or "").lower():
                raise UserError(f"{where}: expected more than 0, or a price_date that says '{FREE}', found 0")
    return (
        np.array([np.nan if target.price_in is None else target.price_in for target in targets]),
        np.array([np.nan if target.price_out is None else target.price_out for target in targets]),
    )


def token_cost(
    prompt_tokens: np.ndarray, completion_tokens: np.ndarray, price_in: np.ndarray, price_out: np.ndarray
) -> np.ndarray:
    """Cost in USD (eq. 2) of tokens (..., M) at prices (M,) in USD per 10^6 tokens; NaN where either is unknown."""
    return (prompt_tokens * price_in + completion_tokens * price_out) / 1e6
