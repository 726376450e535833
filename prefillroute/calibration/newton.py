"""Maximum likelihood of sigmoid(a z + b), a >= 0, for all targets at once."""

import numpy as np

from prefillroute.calibration.contract import observed, sigmoid

MAX_STEPS = 100
STEEPEST = 50.0
"""From this slope per standard deviation of z, the rows count as perfectly separated, without a finite optimum."""


def fit_slopes(z: np.ndarray, correct: np.ndarray, *, with_offset: bool) -> tuple[np.ndarray, np.ndarray]:
    """Fit slopes a (M,) and offsets b (M,) to z (N, M) and outcomes (N, M) in [0, 1], NaN = missing.

    Without an offset, b = 0. See `PlattCalibrator` for what happens where the optimum is negative or not finite.

    Raises:
        UserError: a z is not finite.
    """
    observed(z, correct)  # checks that z is finite
    seen = ~np.isnan(correct)
    count = seen.sum(0)
    values = np.where(seen, z, 0.0).astype(np.float64)
    outcome = np.where(seen, np.nan_to_num(correct), 0.0).astype(np.float64)
    hits = outcome.sum(0)
    # z is standardised so that Newton's steps are alike for every target and STEEPEST has a meaning.
    safe = np.maximum(count, 1)
    mean = values.sum(0) / safe if with_offset else np.zeros(len(count))
    spread = np.sqrt((seen * (values - mean) ** 2).sum(0) / safe)
    flat = spread <= 1e-12 * np.maximum(1.0, np.abs(mean))
    spread = np.where(flat, 1.0, spread)
    scaled = np.where(seen & ~flat, (values - mean) / spread, 0.0)

    one_class = ((hits <= 0) | (hits >= count)) & with_offset
    slope, offset = _newton(
        scaled, np.where(one_class, _smoothed(outcome, hits, count), outcome), seen, with_offset
    )
    steep = ~(np.abs(slope) < STEEPEST) & ~one_class
    if steep.any():
        again = _newton(scaled, np.where(steep, _smoothed(outcome, hits, count), outcome), seen, with_offset)
        slope, offset = np.where(steep, again[0], slope), np.where(steep, again[1], offset)
    # A target with one class gives nothing to rank by, and a negative slope would reverse the ranking.
    level = one_class | (slope <= 0) | flat
    base = np.where(one_class, (hits + 1) / (count + 2), hits / safe)
    with np.errstate(divide="ignore"):
        constant = np.log(base) - np.log1p(-base)
    slope = np.where(level, 0.0, slope / spread)
    offset = np.where(level, constant, offset - slope * mean) if with_offset else np.zeros(len(count))
    return np.where(count == 0, 1.0, slope), np.where(count == 0, 0.0, offset)


def _smoothed(outcome: np.ndarray, hits: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Smooth the outcomes as Platt does: 1 becomes (n1 + 1) / (n1 + 2), 0 becomes 1 / (n0 + 2), linear in between."""
    high, low = (hits + 1) / (hits + 2), 1 / (count - hits + 2)
    return low + outcome * (high - low)


def _newton(
    z: np.ndarray, outcome: np.ndarray, seen: np.ndarray, with_offset: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Damped Newton on (a, b) from a = 0, b = logit of the base rate. z, outcome, seen: (N, M)."""
    count = np.maximum(seen.sum(0), 1)
    base = np.clip((outcome * seen).sum(0) / count, 1e-12, 1 - 1e-12)
    slope = np.zeros(z.shape[1])
    offset = np.log(base / (1 - base)) if with_offset else np.zeros_like(slope)
    loss = _loss(z, outcome, seen, slope, offset)
    for _ in range(MAX_STEPS):
        p = sigmoid(slope * z + offset)
        residual = (p - outcome) * seen
        weight = np.maximum(p * (1 - p), 1e-12) * seen
        grad_a, grad_b = (residual * z).sum(0), residual.sum(0) * with_offset
        haa, hab, hbb = (weight * z * z).sum(0), (weight * z).sum(0) * with_offset, weight.sum(0)
        haa, hbb = haa + 1e-12, hbb + 1e-12
        determinant = np.maximum(haa * hbb - hab**2, 1e-12 * haa * hbb)
        step_a = -(hbb * grad_a - hab * grad_b) / determinant
        step_b = -(haa * grad_b - hab * grad_a) / determinant
        decrease = -(grad_a * step_a + grad_b * step_b)
        if (decrease <= 1e-14 * count).all() or (np.abs(slope) > STEEPEST).all():
            break
        length = np.ones_like(slope)
        for _ in range(30):
            fresh = _loss(z, outcome, seen, slope + length * step_a, offset + length * step_b)
            worse = fresh > loss + 1e-12 * np.abs(loss)
            if not worse.any():
                break
            length = np.where(worse, length / 2, length)
        length = np.where(worse, 0.0, length)
        slope, offset = slope + length * step_a, offset + length * step_b
        loss = _loss(z, outcome, seen, slope, offset)
        # Past the bound, a separated target has no optimum to find, so its slope is held there.
        slope = np.clip(slope, -10 * STEEPEST, 10 * STEEPEST)
    return slope, offset


def _loss(
    z: np.ndarray, outcome: np.ndarray, seen: np.ndarray, slope: np.ndarray, offset: np.ndarray
) -> np.ndarray:
    logit = slope * z + offset
    return ((np.logaddexp(0.0, logit) - outcome * logit) * seen).sum(0)
