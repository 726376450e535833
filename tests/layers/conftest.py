"""A toy encoder of five layers in which layer 3 of the mean pooling knows most, and layer 0 of `last` knows nothing."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from prefillroute.layers.source import ArraySource


@dataclass(frozen=True)
class Toy:
    source: ArraySource
    labels: np.ndarray
    folds: np.ndarray
    targets: tuple[str, ...]


@pytest.fixture
def make_toy() -> Callable[..., Toy]:
    """Builder of activations of layers 0..4, labels, folds and target names."""

    def build(num_rows: int = 500, width: int = 24, num_targets: int = 4, seed: int = 0) -> Toy:
        rng = np.random.default_rng(seed)
        latent = rng.normal(size=(num_rows, width)) * np.arange(1, width + 1) ** -0.5
        logits = 1.5 * latent @ rng.normal(size=(width, num_targets))
        labels = (rng.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(np.float64)
        pooled = {}
        for pooling, strength in (("last", (0, 0.2, 0.4, 0.6, 0.5)), ("mean", (0.1, 0.3, 0.6, 2.0, 0.8))):
            noise = rng.normal(size=(num_rows, 5, width))
            pooled[pooling] = np.stack([s * latent + noise[:, k] for k, s in enumerate(strength)], axis=1)
        pooled["last"][:, 0] = rng.normal(
            size=width
        )  # the last token's embedding is the same for every query
        return Toy(
            source=ArraySource.from_stack("toy", {k: v.astype(np.float32) for k, v in pooled.items()}),
            labels=labels,
            folds=rng.integers(0, 5, size=num_rows),
            targets=tuple(f"target{t}" for t in range(num_targets)),
        )

    return build
