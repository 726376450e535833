"""Small tables of confidences and outcomes."""

from collections.abc import Callable

import numpy as np
import pytest

Pair = tuple[np.ndarray, np.ndarray]


@pytest.fixture
def make_scores() -> Callable[..., Pair]:
    """Build confidences (N, M) and outcomes (N, M) of 0 and 1; `ties` rounds the confidences to one decimal."""

    def build(
        num_queries: int = 200, num_targets: int = 4, missing: float = 0.0, ties: bool = False, seed: int = 0
    ) -> Pair:
        generator = np.random.default_rng(seed)
        confidence = generator.random((num_queries, num_targets))
        correct = (generator.random(confidence.shape) < confidence).astype(float)
        correct[generator.random(confidence.shape) < missing] = np.nan
        return (confidence.round(1) if ties else confidence), correct

    return build


@pytest.fixture
def repeat_rows() -> Callable[[np.ndarray, np.ndarray], list[np.ndarray]]:
    """Turn integer weights (B, N) into the row numbers that each resample repeats."""
    return lambda weights, rows: [np.repeat(rows, counts) for counts in weights.astype(int)]
