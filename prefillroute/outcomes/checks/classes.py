"""Targets that are almost always right, or almost always wrong."""

from collections.abc import Iterator

import numpy as np

from prefillroute.errors import UserError
from prefillroute.outcomes.checks.contract import ERROR, WARNING, Check, Evidence, Finding
from prefillroute.outcomes.splits import StratifiedSplit
from prefillroute.text.hints import listed

LEAST_TRAIN = 50
"""Rows of the rarer class in the training part: ten in each of five folds, on which layers and heads are chosen."""
LEAST_TEST = 20
"""Rows of the rarer class in the test part; with fewer, the standard error of an AUC of 0.7 is above 0.06."""


class FewRows(Check):
    """A predictor of correctness needs both kinds of answer, and so does its AUC."""

    def find(self, pool: Evidence) -> Iterator[Finding]:
        """A line for targets of one class, one for the training part and one for the test part."""
        if pool.outcomes is None:
            return
        try:
            split = StratifiedSplit().split(pool.outcomes)
        except UserError as error:
            yield Finding(ERROR, "split", str(error), "correct the column, or set another split")
            return
        names = np.array(pool.outcomes.targets, dtype=object)
        right, wrong = _counts(pool.outcomes.labels)
        same = (right == 0) | (wrong == 0)
        if same.any():
            each = [
                f"{names[index]} {'right' if right[index] else 'wrong'}" for index in np.flatnonzero(same)
            ]
            what = f"always the same, so that nothing can be learned and the AUC is null: {listed(each)}"
            yield Finding(WARNING, "classes", what, "check correct_threshold, or leave them out")
        for part, rows, least, why in (
            ("training", split.train, LEAST_TRAIN, "to learn from"),
            ("test", split.test, LEAST_TEST, "to measure an AUC by"),
        ):
            right, wrong = _counts(pool.outcomes.labels[rows])
            rare = np.flatnonzero((np.minimum(right, wrong) < least) & ~same)
            if len(rare):
                each = [
                    f"{names[index]} {min(right[index], wrong[index])} "
                    f"{'right' if right[index] < wrong[index] else 'wrong'}"
                    for index in rare
                ]
                what = f"too few {why} in the {part} part, where {least} are wanted: {listed(each)}"
                yield Finding(
                    WARNING, "classes", what, "collect more queries, or read the intervals of these targets"
                )


def _counts(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Right and wrong answers of each target, (M,) each; labels (N, M) of 0, 1 or NaN."""
    return (labels == 1).sum(axis=0), (labels == 0).sum(axis=0)
