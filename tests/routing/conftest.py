"""Small synthetic confidence tables."""

from collections.abc import Callable

import numpy as np
import pytest

from prefillroute.routing.table import ConfidenceTable


@pytest.fixture
def make_table() -> Callable[..., ConfidenceTable]:
    """Build a table with skill per target and difficulty per query; keywords say what differs."""

    def build(
        num_train: int = 300,
        num_calibration: int = 0,
        num_test: int = 200,
        num_targets: int = 5,
        missing: float = 0.0,
        noise: float = 1.0,
        seed: int = 0,
    ) -> ConfidenceTable:
        generator = np.random.default_rng(seed)
        num_queries = num_train + num_calibration + num_test
        skill = np.linspace(-1.0, 1.5, num_targets)
        difficulty = generator.normal(size=(num_queries, 1))
        taste = generator.normal(size=(num_queries, num_targets))
        logit = skill + difficulty + taste
        correct = (generator.random(logit.shape) < 1 / (1 + np.exp(-logit))).astype(float)
        correct[generator.random(logit.shape) < missing] = np.nan
        guess = logit + noise * generator.normal(size=logit.shape)
        price = 1e-5 * 4.0 ** np.arange(num_targets)
        cost = price * np.exp(0.3 * generator.normal(size=(num_queries, 1)))
        split = ["train_oof"] * num_train + ["calibration"] * num_calibration + ["test"] * num_test
        return ConfidenceTable(
            query_id=np.array([f"q{row:05d}" for row in range(num_queries)], dtype=object),
            split=np.array(split, dtype=object),
            benchmark=np.array([f"bench{row % 3}" for row in range(num_queries)], dtype=object),
            targets=tuple(f"target-{index}" for index in range(num_targets)),
            confidence=1 / (1 + np.exp(-guess)),
            cost_usd=cost,
            realised_cost_usd=cost * np.exp(0.1 * generator.normal(size=cost.shape)),
            correct=correct,
        )

    return build
