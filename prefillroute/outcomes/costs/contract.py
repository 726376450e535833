"""What every cost model does."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Self

import numpy as np
import pandas as pd

from prefillroute.config.facts import TargetConfig
from prefillroute.errors import UserError
from prefillroute.outcomes.table import Outcomes
from prefillroute.spec import Stored
from prefillroute.text.hints import exclude

# N = queries, M = targets


class CostModel(Stored, ABC):
    """Estimates the USD of sending a query to each target, from training outcomes and prices.

    After ``fit``: `targets_` (M names), `cost_range_` (least and greatest estimate over training queries x
    targets: the c_lo and c_hi of equation 4) and, per model, its terms.
    """

    targets_: tuple[str, ...]
    cost_range_: tuple[float, float]

    def fit(
        self,
        outcomes: Outcomes,
        train_rows: np.ndarray,
        targets: Sequence[TargetConfig],
        query_tokens: np.ndarray | None = None,
    ) -> Self:
        """Learn the terms of every target on the training queries.

        Args:
            outcomes: Q queries x M targets.
            train_rows: row indices of the training part.
            targets: the M targets in the table's order, for prices.
            query_tokens: (Q,) tokens of each bare query by the encoder's tokenizer.

        Raises:
            UserError: naming a target that cannot be costed; `pool.exclude` leaves it out.
        """
        names = tuple(target.name for target in targets)
        assert names == outcomes.targets, f"{names} are not the targets of the table, {outcomes.targets}"
        self.targets_ = names
        train = outcomes.select(train_rows)
        tokens = None if query_tokens is None else np.asarray(query_tokens, dtype=np.float64)[train_rows]
        self._fit(train, targets, tokens)
        costs = self.estimate(len(train), tokens, train.prompt_tokens)
        self.cost_range_ = (float(costs.min()), float(costs.max()))
        return self

    @abstractmethod
    def _fit(self, train: Outcomes, targets: Sequence[TargetConfig], query_tokens: np.ndarray | None) -> None:
        """Set the terms; ``query_tokens`` is (N,) of the training queries."""

    @abstractmethod
    def estimate(
        self,
        num_queries: int,
        query_tokens: np.ndarray | None = None,
        prompt_tokens: np.ndarray | None = None,
    ) -> np.ndarray:
        """Cost of N queries, before they are sent.

        Args:
            num_queries: N.
            query_tokens: (N,) tokens of the bare queries by the encoder's tokenizer; None where there is none.
            prompt_tokens: (N, M) tokens really sent, NaN where unknown; None for queries that were never sent.

        Returns:
            (N, M) USD, finite.

        Raises:
            ValueError: the model was fitted with query tokens, and neither kind of tokens is given.
        """

    @abstractmethod
    def realised(self, outcomes: Outcomes) -> np.ndarray:
        """(Q, M) USD that the recorded calls cost; NaN where unknown."""

    @property
    def median_completion_tokens(self) -> np.ndarray | None:
        """(M,) tokens o_m of a typical answer that the estimate counts, NaN where unknown; None without such a term."""
        return None


def train_medians(values: np.ndarray) -> np.ndarray:
    """(M,) medians of (N, M) over what is known; NaN for a target of which nothing is."""
    return pd.DataFrame(values).median().to_numpy(dtype=np.float64)


def refuse_target(target: str, expected: str, found: str) -> UserError:
    """The error for a target that cannot be costed."""
    return UserError(
        f"target '{target}': expected {expected}, found {found}; or leave it out with {exclude(target)}"
    )
