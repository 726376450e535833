"""Whether the targets of a pool agree on a query (paper section 5.2)."""

import numpy as np

CLASSES = ("all_correct", "all_wrong", "disagreement")
"""Routing matters only for the third class: in the first two, every target gives the same result."""


def agreement_classes(labels: np.ndarray) -> np.ndarray:
    """Return every query's class, judged by the targets whose outcome is known.

    Args:
        labels: (Q, M) of 0, 1 or NaN (missing).

    Returns:
        (Q,) str, one of ``CLASSES``. A query without any outcome counts as disagreement.
    """
    known = ~np.isnan(labels)
    all_correct = ((labels == 1) | ~known).all(axis=1) & known.any(axis=1)
    all_wrong = ((labels == 0) | ~known).all(axis=1) & known.any(axis=1)
    return np.select([all_correct, all_wrong], CLASSES[:2], default=CLASSES[2])
