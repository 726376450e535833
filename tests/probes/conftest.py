"""Rows with a decaying spectrum and labels that depend on it, small enough for brute force."""

from collections.abc import Callable

import numpy as np
import pytest


@pytest.fixture
def make_rows() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Builder of activations (N, H) float32, with offsets and uneven scales, and labels (N, T)."""

    def build(
        num_rows: int = 600, width: int = 40, num_targets: int = 5, seed: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        latent = rng.normal(size=(num_rows, width)) * np.arange(1, width + 1) ** -0.5
        mixing = np.linalg.qr(rng.normal(size=(width, width)))[0]
        logits = latent @ rng.normal(size=(width, num_targets)) + np.linspace(-1, 1.5, num_targets)
        labels = (rng.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(np.float64)
        rows = latent @ mixing * np.exp(rng.normal(size=width)) + 5 * rng.normal(size=width)
        return rows.astype(np.float32), labels

    return build
