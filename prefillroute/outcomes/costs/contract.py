"""What every cost model does."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from prefillroute.config.facts import TargetConfig
from prefillroute.errors import UserError
from prefillroute.outcomes.table import Outcomes
from prefillroute.text.hints import exclude

# N = queries, M = targets


class CostModel(ABC):
    """Estimates the USD of sending a query to each target, from training outcomes and prices.

    After ``fit``: `targets_` (M names), `cost_range_` (least and greatest estimate over training queries x
    targets: the c_lo and c_hi of equation 4) and, per model, its terms.
    """

    kind: str
    """Name in ``state()`` and of the option in ``conf/cost``."""
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
        costs = self.estimate(tokens, train.prompt_tokens)
        self.cost_range_ = (float(costs.min()), float(costs.max()))
        return self

    @abstractmethod
    def _fit(self, train: Outcomes, targets: Sequence[TargetConfig], query_tokens: np.ndarray | None) -> None:
        """Set the terms; ``query_tokens`` is (N,) of the training queries."""

    @abstractmethod
    def estimate(
        self, query_tokens: np.ndarray | None = None, prompt_tokens: np.ndarray | None = None
    ) -> np.ndarray:
        """Cost of N queries, before they are sent.

        Args:
            query_tokens: (N,) tokens of the bare queries by the encoder's tokenizer.
            prompt_tokens: (N, M) tokens really sent, NaN where unknown.

        Returns:
            (N, M) USD, finite.
        """

    @abstractmethod
    def realised(self, outcomes: Outcomes) -> np.ndarray:
        """(Q, M) USD that the recorded calls cost; NaN where unknown."""

    @abstractmethod
    def _terms(self) -> dict[str, np.ndarray]:
        """Fitted terms, (M,) each, by attribute name less its underscore."""

    def state(self) -> dict[str, Any]:
        """The fitted model as JSON values, for the router bundle."""
        terms = self._terms().items()
        return {
            "kind": self.kind,
            "targets": list(self.targets_),
            "cost_range": list(self.cost_range_),
            **{name: [None if np.isnan(item) else item for item in term.tolist()] for name, term in terms},
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The model that ``state()`` described."""
        model = cls.__new__(cls)
        model.targets_ = tuple(state["targets"])
        low, high = state["cost_range"]
        model.cost_range_ = (float(low), float(high))
        for name, value in state.items():
            if name not in ("kind", "targets", "cost_range"):
                setattr(model, f"{name}_", np.array(value, dtype=np.float64))  # null -> NaN
        return model


def train_medians(values: np.ndarray) -> np.ndarray:
    """(M,) medians of (N, M) over what is known; NaN for a target of which nothing is."""
    return pd.DataFrame(values).median().to_numpy(dtype=np.float64)


def refuse_target(target: str, lack: str) -> UserError:
    """The error for a target that cannot be costed."""
    return UserError(f"target '{target}': {lack}; expected them, or leave it out with {exclude(target)}")


def num_rows(query_tokens: np.ndarray | None, prompt_tokens: np.ndarray | None) -> int:
    """N of an ``estimate`` call."""
    given = query_tokens if query_tokens is not None else prompt_tokens
    if given is None:
        raise ValueError("estimate() needs query_tokens, prompt_tokens or both to know the number of queries")
    return len(given)
