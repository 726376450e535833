"""Tokens sent to a target as a line in the tokens of the bare query (DESIGN section 5, equation 2)."""

import numpy as np

# N = queries, M = targets

HUBER_K = 1.345
"""Residuals beyond this many standard deviations pull with constant force (95 % efficient on normal data)."""
MAX_STEPS = 50


def fit_lines(query_tokens: np.ndarray, prompt_tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Robust fit of prompt_tokens[:, m] = overhead_m + slope_m * query_tokens, all targets at once.

    Huber's loss by iteratively re-weighted least squares; neither term may be negative, as no template takes
    tokens away. A target with no known prompt tokens gets the line (0, 1): the bare query is what is sent.

    Args:
        query_tokens: (N,) tokens of each bare query.
        prompt_tokens: (N, M) tokens really sent; NaN where unknown.

    Returns:
        overhead (M,), slope (M,).
    """
    known = ~np.isnan(prompt_tokens)
    x = np.broadcast_to(np.asarray(query_tokens, dtype=np.float64)[:, None], known.shape)
    y = np.where(known, prompt_tokens, 0.0)
    overhead, slope = _weighted_line(x, y, known.astype(np.float64))
    for _ in range(MAX_STEPS):
        residual = np.where(known, np.abs(y - overhead - slope * x), np.nan)
        weight = _huber_weights(residual, known)
        previous = overhead + slope
        overhead, slope = _weighted_line(x, y, weight)
        if np.allclose(overhead + slope, previous, rtol=1e-9, atol=1e-9):
            break
    nothing = ~known.any(axis=0)
    return np.where(nothing, 0.0, overhead), np.where(nothing, 1.0, slope)


def _huber_weights(residual: np.ndarray, known: np.ndarray) -> np.ndarray:
    scale = np.array(
        [np.median(column[ok]) if ok.any() else 0.0 for column, ok in zip(residual.T, known.T, strict=True)]
    )
    bound = HUBER_K * 1.4826 * scale  # median absolute deviation -> standard deviation
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(residual <= bound, 1.0, bound / residual)
    # A bound of 0: half of the rows lie on the line exactly, and the others get no weight.
    return np.where(known, weight, 0.0)


def _weighted_line(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted least squares under overhead >= 0 and slope >= 0, per column."""
    total = np.maximum(weight.sum(axis=0), 1e-300)
    mean_x, mean_y = (weight * x).sum(axis=0) / total, (weight * y).sum(axis=0) / total
    spread = (weight * (x - mean_x) ** 2).sum(axis=0)
    shared = (weight * (x - mean_x) * (y - mean_y)).sum(axis=0)
    slope = np.divide(shared, spread, out=np.zeros_like(shared), where=spread > 1e-12 * total)
    slope = np.maximum(slope, 0.0)
    overhead = mean_y - slope * mean_x
    square = (weight * x * x).sum(axis=0)
    through_origin = np.divide(
        (weight * x * y).sum(axis=0), square, out=np.zeros_like(square), where=square > 0
    )
    negative = overhead < 0
    return np.where(negative, 0.0, overhead), np.where(negative, through_origin, slope)
