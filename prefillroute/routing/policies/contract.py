"""The interface of every policy, and how all of them go from scores to a choice."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from prefillroute.errors import UserError
from prefillroute.metrics.equal_costs import first_cheapest, level_costs
from prefillroute.spec import Stored
from prefillroute.variants import module_name

# N = queries, M = targets


@dataclass(frozen=True)
class Parameter:
    """The argument of a policy that `prefillroute route` sets, and how it is called there."""

    argument: str
    """As in the constructor and in `conf/policy`; None as its value leaves it to the run."""
    option: str
    """As on the command line: `--budget`."""
    meaning: str
    """In a few words, with X for the value."""


class Policy(Stored, ABC):
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

    parameter: ClassVar[Parameter | None] = None
    """None: `prefillroute route` takes the policy as its constructor makes it."""

    @classmethod
    def option_name(cls) -> str:
        """As in `conf/policy` and after `--policy`: the name of the module without its `_policy`."""
        return module_name(cls).removesuffix("_policy")

    def value(self) -> float | None:
        """What the parameter is; None where it is left to the run, or where there is no parameter."""
        return None if self.parameter is None else getattr(self, self.parameter.argument)

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


class OutOfRangeError(UserError):
    """A policy's argument that is no number of its range.

    Args:
        argument: as in the constructor.
        value: what was given.
        expected: the range in words.
    """

    def __init__(self, argument: str, value: object, expected: str) -> None:
        super().__init__(argument, value, expected)
        self.argument, self.value, self.expected = argument, value, expected

    def __str__(self) -> str:
        return self.at(f"policy.{self.argument}")

    def at(self, key: str) -> str:
        """The message under the name that the person used."""
        return f"{key}: expected {self.expected}, found {self.value}"


def check_within(name: str, value: float, low: float, high: float) -> float:
    """Return `value` as a float if it lies in [low, high].

    Raises:
        OutOfRangeError: it does not, or is no number.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not low <= number <= high:
        expected = (
            f"a number in [{low:g}, {high:g}]" if np.isfinite(high) else f"a number of at least {low:g}"
        )
        raise OutOfRangeError(name, value, expected)
    return number
