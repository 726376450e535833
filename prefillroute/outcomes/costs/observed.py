"""What the calls really cost: one figure per target."""

from collections.abc import Sequence

import numpy as np

from prefillroute.config.facts import TargetConfig
from prefillroute.outcomes.costs.contract import CostModel, refuse_target, train_medians
from prefillroute.outcomes.table import Outcomes


class ObservedCost(CostModel):
    """Each target's median `cost_usd` over the training queries, the same for every query.

    For agents, whose tokens are not known but whose bill is (DESIGN section 5).

    Example:
        >>> import pandas as pd
        >>> unknown, bill = np.full((3, 1), np.nan), np.array([[0.01], [0.02], [0.5]])
        >>> queries = pd.DataFrame({"query_id": ["a", "b", "c"], "prompt": ["1", "2", "3"]})
        >>> outcomes = Outcomes(queries, ("m",), np.ones((3, 1)), unknown, unknown, unknown, unknown, bill)
        >>> ObservedCost().fit(outcomes, np.arange(3), [TargetConfig("m")]).estimate(2)
        array([[0.02],
               [0.02]])
    """

    observed_: np.ndarray

    def _fit(self, train: Outcomes, targets: Sequence[TargetConfig], query_tokens: np.ndarray | None) -> None:
        self.observed_ = train_medians(train.cost_usd)
        for index in np.flatnonzero(np.isnan(self.observed_)):
            raise refuse_target(self.targets_[index], "cost_usd in the training outcomes", "none")

    def estimate(
        self,
        num_queries: int,
        query_tokens: np.ndarray | None = None,
        prompt_tokens: np.ndarray | None = None,
    ) -> np.ndarray:
        """(N, M) USD; see ``CostModel.estimate``."""
        return np.tile(self.observed_, (num_queries, 1))

    def realised(self, outcomes: Outcomes) -> np.ndarray:
        """(Q, M) USD: `cost_usd`, NaN where it was not recorded."""
        return outcomes.cost_usd.copy()
