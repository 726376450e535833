"""Logits and outcomes whose true relation is known."""

from collections.abc import Callable

import numpy as np
import pytest


@pytest.fixture
def sample() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """(rows, targets, seed, missing, floats) -> z and outcomes drawn with P = sigmoid(0.6 z - 0.3)."""

    def make(
        rows: int = 300, targets: int = 4, seed: int = 0, missing: float = 0.1, floats: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        z = rng.normal(0.5, 1.5, (rows, targets))
        chance = 1 / (1 + np.exp(-(0.6 * z - 0.3)))
        correct = (rng.random(z.shape) < chance).astype(float)
        if floats:
            correct = np.clip(chance + rng.normal(0, 0.2, z.shape), 0, 1)
        correct[rng.random(z.shape) < missing] = np.nan
        return z, correct

    return make
