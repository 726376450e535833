"""A confidence table from matrices, for tests that know every number in it."""

import numpy as np

from prefillroute.routing.table import ConfidenceTable


def build_table(confidence: np.ndarray, cost: np.ndarray, correct: np.ndarray) -> ConfidenceTable:
    """The same rows as training and as test part."""
    num_queries = len(confidence)
    return ConfidenceTable(
        query_id=np.array([f"{part}{row}" for part in "ab" for row in range(num_queries)], dtype=object),
        split=np.repeat(np.array(["train_oof", "test"], dtype=object), num_queries),
        benchmark=np.full(2 * num_queries, "all", dtype=object),
        targets=tuple(f"target-{index}" for index in range(confidence.shape[1])),
        confidence=np.tile(confidence, (2, 1)),
        cost_usd=np.tile(cost, (2, 1)),
        realised_cost_usd=np.tile(cost, (2, 1)),
        correct=np.tile(correct, (2, 1)),
    )
