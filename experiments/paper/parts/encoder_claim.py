"""The paper's central claim, that a stronger encoder predicts better, judged pair by pair of neighbours in size."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from experiments.paper.contrasts import Contrasts
from prefillroute.reports.catalogue import Metric
from prefillroute.reports.numbers import significant


@dataclass(frozen=True)
class Verdict:
    """How often the larger of two neighbours in size is better, by one metric."""

    metric: Metric
    better: int
    """Pairs in which the interval of the paired difference excludes 0 for the larger encoder."""
    worse: int
    """Pairs in which it excludes 0 against it."""
    level: int
    """Pairs that are not separated."""

    @property
    def words(self) -> str:
        """``mean AUC: better in 1, worse in 0, not separated in 1``."""
        return (
            f"{self.metric.words}: better in {self.better}, worse in {self.worse}, "
            f"not separated in {self.level}"
        )


def neighbours(sizes: Mapping[str, float]) -> list[tuple[str, str]]:
    """Pairs (smaller, larger) of encoders whose sizes follow each other; encoders of one size are no pair.

    Example:
        >>> neighbours({"b": 2.0, "a": 1.0, "c": 2.0, "d": 9.0})
        [('a', 'b'), ('a', 'c'), ('b', 'd'), ('c', 'd')]
    """
    return [
        (small, large)
        for below, above in pairwise(sorted(set(sizes.values())))
        for small in sizes
        for large in sizes
        if (sizes[small], sizes[large]) == (below, above)
    ]


def verdict(contrasts: Contrasts, pairs: list[tuple[str, str]], metric: Metric) -> Verdict:
    """Judge every pair by one metric."""
    sides = [contrasts.difference(large, small, metric).favours(metric) for small, large in pairs]
    return Verdict(metric, sides.count(1), sides.count(-1), sides.count(0))


def claim_notes(contrasts: Contrasts, sizes: Mapping[str, float]) -> list[str]:
    """Say in words whether the claim holds on this pool."""
    pairs = neighbours(sizes)
    if not pairs:
        return [
            "Whether a larger encoder predicts better cannot be said from "
            f"{'one encoder' if len(sizes) == 1 else 'encoders of one size'}: --encoders takes several."
        ]
    found = [verdict(contrasts, pairs, metric) for metric in contrasts.judged]
    order = " < ".join(
        f"{name} ({significant(sizes[name])})" for name in sorted(sizes, key=lambda name: sizes[name])
    )
    by_auc = found[0]
    if by_auc.worse:
        said = "does not hold here by mean AUC: a larger encoder is worse than its smaller neighbour"
    elif by_auc.better == len(pairs):
        said = "holds here by mean AUC: each encoder is better than its smaller neighbour"
    elif by_auc.better:
        said = "holds here by mean AUC for some pairs, and no pair contradicts it"
    else:
        said = "is not shown here by mean AUC: no pair is separated"
    count = f"{len(pairs)} pair{'s' * (len(pairs) > 1)} of neighbours in size"
    return [
        f"That a stronger encoder predicts better {said}. Of {count}, the larger is, with a paired interval that "
        f"excludes 0, by {'; by '.join(each.words for each in found)}. In order of 10⁹ parameters: {order}.",
        "Encoders differ in more than size: family, training, prompt form and quantisation have a part in this.",
    ]
