"""The outcome table of a pool as dense matrices (DESIGN section 4)."""

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import pandas as pd

from prefillroute.outcomes.duplicates import GROUP_COLUMN, duplicate_groups

# Q = queries, M = targets

MEASURES = ("prompt_tokens", "completion_tokens", "latency_s", "ttft_s", "cost_usd")
"""What may be known about a call besides `correct`."""


@dataclass(frozen=True)
class Outcomes:
    """Results of M targets on Q queries. Matrices are (Q, M) float64; NaN means missing or unknown.

    A missing outcome is never counted as wrong: it is masked in the loss and left out of the metrics.
    """

    queries: pd.DataFrame
    """One row per query: `query_id`, `benchmark`, `category`, `prompt`, extras such as `split`; RangeIndex."""
    targets: tuple[str, ...]
    correct: np.ndarray
    """(Q, M) in [0, 1]."""
    prompt_tokens: np.ndarray
    completion_tokens: np.ndarray
    latency_s: np.ndarray
    ttft_s: np.ndarray
    """Seconds to the first token."""
    cost_usd: np.ndarray
    """What the call actually cost."""
    correct_threshold: float = 0.5

    @property
    def observed(self) -> np.ndarray:
        """(Q, M) bool: whether the target's outcome on the query is known."""
        return ~np.isnan(self.correct)

    @property
    def complete(self) -> np.ndarray:
        """(Q,) bool: whether every target's outcome is known; global metrics use these queries."""
        return np.asarray(self.observed.all(axis=1))

    @property
    def labels(self) -> np.ndarray:
        """(Q, M) of 0, 1 or NaN: whether `correct` reaches the threshold (for AUC, strata and agreement classes)."""
        labels = (self.correct >= self.correct_threshold).astype(np.float64)
        labels[~self.observed] = np.nan
        return labels

    @cached_property
    def duplicates(self) -> np.ndarray:
        """(Q,) int: group of duplicates that each query belongs to; see ``outcomes.duplicates``."""
        return duplicate_groups(self.queries)

    def __len__(self) -> int:
        return len(self.queries)

    def select(self, rows: np.ndarray) -> "Outcomes":
        """Return the table for some queries only, given as row indices or a (Q,) mask, in the order given."""
        matrices = {
            item.name: getattr(self, item.name)[rows]
            for item in fields(self)
            if isinstance(getattr(self, item.name), np.ndarray)
        }
        selected = replace(self, queries=self.queries.iloc[rows].reset_index(drop=True), **matrices)
        if GROUP_COLUMN in self.queries:
            # Two queries may be duplicates through a third one that is not selected, so keep the groups found before.
            vars(selected)["duplicates"] = pd.factorize(self.duplicates[rows])[0]
        return selected
