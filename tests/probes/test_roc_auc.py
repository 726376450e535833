import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from prefillroute.probes.roc_auc import batched_roc_auc


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000), rows=st.integers(1, 60), levels=st.integers(1, 30), missing=st.floats(0, 0.9)
)
def test_equals_scikit_learn_with_ties_missing_labels_and_one_class(
    seed: int, rows: int, levels: int, missing: float
) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(-levels, levels + 1, size=(rows, 2, 3)) / np.float32(levels)
    scores[rng.random(scores.shape) < 0.1] *= -0.0
    labels = rng.integers(0, 2, size=(rows, 3)).astype(np.float64)
    labels[rng.random(labels.shape) < missing] = np.nan
    ours = batched_roc_auc(scores.astype(np.float32), labels)
    for p in range(2):
        for t in range(3):
            kept = ~np.isnan(labels[:, t])
            if len(np.unique(labels[kept, t])) < 2:
                assert np.isnan(ours[p, t])
            else:
                expected = roc_auc_score(labels[kept, t], scores[kept, p, t])
                np.testing.assert_allclose(ours[p, t], expected, atol=1e-12)


def test_negative_and_huge_scores_are_in_order() -> None:
    scores = np.array([-3e38, -2.5, -1e-30, 0.0, 1e-30, 7.0, 3e38], dtype=np.float32)[:, None]
    labels = np.array([0, 0, 0, 0, 1, 1, 1], dtype=np.float64)[:, None]
    assert batched_roc_auc(scores, labels) == 1
    assert batched_roc_auc(-scores, labels) == 0
