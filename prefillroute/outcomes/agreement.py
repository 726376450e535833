"""Consensus of the pool on each query (paper section 5.2)."""

import numpy as np

CLASSES = ("all_correct", "all_wrong", "disagreement")
"""Queries of the first two are decided whatever a router does; only on the third does routing matter."""


def agreement_classes(labels: np.ndarray) -> np.ndarray:
    """Class of every query over the targets whose outcome is known.

    Args:
        labels: (Q, M) of 0, 1 or NaN (missing).

    Returns:
        (Q,) str, one of ``CLASSES``. A query without any outcome counts as disagreement: nothing is agreed.
    """
    known = ~np.isnan(labels)
    all_correct = ((labels == 1) | ~known).all(axis=1) & known.any(axis=1)
    all_wrong = ((labels == 0) | ~known).all(axis=1) & known.any(axis=1)
    return np.select([all_correct, all_wrong], CLASSES[:2], default=CLASSES[2])
