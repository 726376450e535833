"""What the calls really cost: one figure per target."""

from collections.abc import Sequence

import numpy as np

from prefillroute.config.facts import TargetConfig
from prefillroute.outcomes.costs.contract import CostModel, num_rows, refuse_target, train_medians
from prefillroute.outcomes.table import Outcomes


class ObservedCost(CostModel):
    """Each target's median `cost_usd` over the training queries, the same for every query.

    For agents, whose tokens are not known but whose bill is (DESIGN section 5).
    """

    kind = "observed"
    observed_: np.ndarray

    def _fit(self, train: Outcomes, targets: Sequence[TargetConfig], query_tokens: np.ndarray | None) -> None:
        self.observed_ = train_medians(train.cost_usd)
        for index in np.flatnonzero(np.isnan(self.observed_)):
            raise refuse_target(self.targets_[index], "has no observed cost_usd in the training outcomes")

    def estimate(
        self, query_tokens: np.ndarray | None = None, prompt_tokens: np.ndarray | None = None
    ) -> np.ndarray:
        """(N, M) USD; see ``CostModel.estimate``."""
        return np.tile(self.observed_, (num_rows(query_tokens, prompt_tokens), 1))

    def realised(self, outcomes: Outcomes) -> np.ndarray:
        """(Q, M) USD: `cost_usd`, NaN where it was not recorded."""
        return outcomes.cost_usd.copy()

    def _terms(self) -> dict[str, np.ndarray]:
        return {"observed": self.observed_}
