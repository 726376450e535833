"""What every policy promises, and the tie rule that all of them share."""

from typing import Protocol

import numpy as np

from prefillroute.errors import UserError
from prefillroute.metrics.equal_costs import first_cheapest

# N = queries, M = targets


class Policy(Protocol):
    """Turns confidences and estimated costs into one target per query."""

    def choose(
        self, confidence: np.ndarray, cost_usd: np.ndarray, cost_range: tuple[float, float]
    ) -> np.ndarray:
        """Choose a target per query.

        Args:
            confidence: (N, M) probabilities of a correct answer.
            cost_usd: (N, M) estimated costs in USD.
            cost_range: (c_lo, c_hi), least and greatest cost over training queries x targets.

        Returns:
            (N,) target indices; ties go to the cheaper target, then to pool order. Costs that are equal but for
            rounding are equal (see `metrics.equal_costs`).

        Raises:
            UserError: a confidence or a cost is NaN or infinite.
        """
        ...


def choose_greatest(score: np.ndarray, cost_usd: np.ndarray) -> np.ndarray:
    """Argmax of score (N, M) per query; ties go to the cheaper target, then to pool order: (N,)."""
    greatest = score == score.max(axis=1, keepdims=True)
    return first_cheapest(cost_usd, greatest)


def check_finite(**arrays: np.ndarray) -> None:
    """Refuse NaN and infinity in (N, M) arrays, by name, row and target number.

    Raises:
        UserError: naming the first value that is not a number.
    """
    for name, array in arrays.items():
        finite = np.isfinite(array)
        if not finite.all():
            row, target = np.argwhere(~finite)[0]
            found = array[row, target]
            raise UserError(f"{name} of query {row}, target {target} is {found}: wanted a finite number")


def check_within(name: str, value: float, low: float, high: float) -> float:
    """Return `value` as a float if it lies in [low, high].

    Raises:
        UserError: naming the argument, the value found and the range wanted.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not low <= number <= high:
        wanted = f"a number in [{low:g}, {high:g}]" if np.isfinite(high) else f"a number of at least {low:g}"
        raise UserError(f"policy.{name}={value}: wanted {wanted}")
    return number
