"""What a router itself costs: the encoder's prefill of a query (paper section 5.1.4)."""

import numpy as np

from prefillroute.errors import UserError

KEY = "evaluation.router_cost"


def prefill_cost(query_tokens: np.ndarray, usd_per_hour: float, tokens_per_s: float | None) -> np.ndarray:
    """USD of reading queries, from the rent of the GPU and the encoder's measured speed.

    Args:
        query_tokens: (N,) tokens of each query by the encoder's tokenizer.
        usd_per_hour: rent of the hardware that the encoder occupies; 0 where the engine caches the prefill.
        tokens_per_s: prefill tokens that the encoder reads in a second; with several encoders, of all of them one after
            another. It may be None where `usd_per_hour` is 0.

    Returns:
        (N,) USD.

    Raises:
        UserError: see `check_prefill_cost`.

    Example:
        >>> prefill_cost(np.array([360, 720]), usd_per_hour=2.0, tokens_per_s=1000.0).round(6)
        array([0.0002, 0.0004])
    """
    check_prefill_cost(usd_per_hour, tokens_per_s)
    if usd_per_hour == 0 or tokens_per_s is None:
        return np.zeros(len(query_tokens))
    return np.asarray(query_tokens, dtype=np.float64) / tokens_per_s * usd_per_hour / 3600.0


def check_prefill_cost(usd_per_hour: float, tokens_per_s: float | None) -> None:
    """Refuse a rent without a speed, and numbers out of range.

    Raises:
        UserError: names the key.
    """
    if not (np.isfinite(usd_per_hour) and usd_per_hour >= 0):
        raise UserError(f"{KEY}.usd_per_hour: expected a finite number of at least 0, found {usd_per_hour}")
    known = tokens_per_s is not None and np.isfinite(tokens_per_s) and tokens_per_s > 0
    if not known and (usd_per_hour > 0 or tokens_per_s is not None):
        found = "null" if tokens_per_s is None else tokens_per_s
        raise UserError(
            f"{KEY}.tokens_per_s: expected the encoder's measured prefill speed, above 0, found {found}; or count no "
            f"router cost with {KEY}.usd_per_hour=0"
        )
