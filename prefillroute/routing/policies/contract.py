"""The interface of every policy, and how all of them go from scores to a choice."""

from abc import ABC, abstractmethod

import numpy as np

from prefillroute.errors import UserError
from prefillroute.metrics.equal_costs import first_cheapest, level_costs

# N = queries, M = targets


class Policy(ABC):
    """Scores the targets for each query; the choice and the ranking follow from the scores.

    Ties go to the cheaper target, then to pool order. Costs that are equal up to rounding count as equal (see
    `metrics.equal_costs`).

    Example:
        >>> from prefillroute.routing.policies.threshold_policy import ThresholdPolicy
        >>> confidence, cost_usd = np.array([[0.9, 0.7, 0.4]]), np.array([[0.03, 0.01, 0.002]])
        >>> ThresholdPolicy(0.6).choose(confidence, cost_usd, (0.0, 0.03))
        array([1])
        >>> ThresholdPolicy(0.6).ranking(confidence, cost_usd, (0.0, 0.03))
        array([[1, 0, 2]])
    """

    @abstractmethod
    def scores(
        self, confidence: np.ndarray, cost_usd: np.ndarray, cost_range: tuple[float, float]
    ) -> np.ndarray:
        """Score every target for every query; greater is better.

        Args:
            confidence: (N, M) probabilities of a correct answer, finite.
            cost_usd: (N, M) estimated costs in USD, finite; those that are equal within rounding are one value.
            cost_range: (c_lo, c_hi), least and greatest cost over training queries x targets.

        Returns:
            (N, M); -inf for a target that must not be chosen.
        """

    def choose(
        self, confidence: np.ndarray, cost_usd: np.ndarray, cost_range: tuple[float, float]
    ) -> np.ndarray:
        """Choose a target per query.

        Args:
            confidence: (N, M) probabilities of a correct answer.
            cost_usd: (N, M) estimated costs in USD.
            cost_range: (c_lo, c_hi), least and greatest cost over training queries x targets.

        Returns:
            (N,) target indices.

        Raises:
            UserError: a confidence or a cost is NaN or infinite.
        """
        check_finite(confidence=confidence, cost_usd=cost_usd)
        cost = level_costs(cost_usd)
        return choose_greatest(self.scores(confidence, cost, cost_range), cost)

    def ranking(
        self, confidence: np.ndarray, cost_usd: np.ndarray, cost_range: tuple[float, float]
    ) -> np.ndarray:
        """Order the targets of each query from the best to the worst; arguments and errors as for `choose`.

        Returns:
            (N, M) target indices; the first column is what `choose` returns, and the next columns are its substitutes.
        """
        check_finite(confidence=confidence, cost_usd=cost_usd)
        cost = level_costs(cost_usd)
        return np.lexsort((cost, -self.scores(confidence, cost, cost_range)), axis=1)


def choose_greatest(score: np.ndarray, cost_usd: np.ndarray) -> np.ndarray:
    """Argmax of score (N, M) per query; ties go to the cheaper target, then to pool order: (N,)."""
    return first_cheapest(cost_usd, score == score.max(axis=1, keepdims=True))


def check_finite(**arrays: np.ndarray) -> None:
    """Reject NaN and infinity in (N, M) arrays.

    Raises:
        UserError: names the array, row and target number of the first value that is not finite.
    """
    for name, array in arrays.items():
        finite = np.isfinite(array)
        if not finite.all():
            row, target = np.argwhere(~finite)[0]
            found = array[row, target]
            raise UserError(
                f"{name} of query {row}, target {target}: expected a finite number, found {found}"
            )


def check_within(name: str, value: float, low: float, high: float) -> float:
    """Return `value` as a float if it lies in [low, high].

    Raises:
        UserError: names the argument, the value found and the expected range.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not low <= number <= high:
        expected = (
            f"a number in [{low:g}, {high:g}]" if np.isfinite(high) else f"a number of at least {low:g}"
        )
        raise UserError(f"policy.{name}={value}: expected {expected}")
    return number
