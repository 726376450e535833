"""Tokens times price (equation 2), the cost of an API."""

from collections.abc import Sequence

import numpy as np

from prefillroute.config.facts import TargetConfig
from prefillroute.outcomes.costs.contract import CostModel, refuse_target, train_medians
from prefillroute.outcomes.costs.line import fit_lines
from prefillroute.outcomes.prices import check_prices, token_cost
from prefillroute.outcomes.table import Outcomes


class TokenCost(CostModel):
    """c[q, m] = (n[q, m] * price_in[m] + o_m * price_out[m]) / 10^6.

    n are the tokens sent: known ones, else `overhead_m + slope_m * query tokens`, fitted on training. o_m is
    the median of the target's completion tokens on training. A target without tokens or price takes its
    median `cost_usd` instead (`observed_`), whatever the query.

    Example:
        >>> import pandas as pd
        >>> unknown, tokens = np.full((2, 1), np.nan), np.array([[100.0], [300.0]])
        >>> queries = pd.DataFrame({"query_id": ["a", "b"], "prompt": ["short", "long"]})
        >>> outcomes = Outcomes(queries, ("m",), np.ones((2, 1)), tokens, 2 * tokens, unknown, unknown, unknown)
        >>> target = TargetConfig("m", price_in=1.0, price_out=2.0)
        >>> cost = TokenCost().fit(outcomes, np.array([0, 1]), [target], query_tokens=np.array([90, 290]))
        >>> cost.estimate(1, query_tokens=np.array([90])).round(6)
        array([[0.0009]])
    """

    price_in_: np.ndarray
    price_out_: np.ndarray
    completion_tokens_: np.ndarray
    overhead_: np.ndarray
    slope_: np.ndarray
    observed_: np.ndarray
    """(M,) median cost where tokens or price are missing; NaN for targets that are costed by tokens."""

    def _fit(self, train: Outcomes, targets: Sequence[TargetConfig], query_tokens: np.ndarray | None) -> None:
        self.price_in_, self.price_out_ = check_prices(targets)
        self.completion_tokens_ = train_medians(train.completion_tokens)
        if query_tokens is None:
            # No tokenizer at hand (a signal without an encoder): the typical prompt stands for every query.
            self.overhead_ = train_medians(train.prompt_tokens)
            self.slope_ = np.zeros(len(targets))
        else:
            self.overhead_, self.slope_ = fit_lines(query_tokens, train.prompt_tokens)
        by_tokens = ~np.isnan(self.price_in_ + self.completion_tokens_ + self.overhead_)
        self.observed_ = np.where(by_tokens, np.nan, train_medians(train.cost_usd))
        for index in np.flatnonzero(~by_tokens & np.isnan(self.observed_)):
            found = "no prices" if np.isnan(self.price_in_[index]) else "prices but no token counts"
            raise refuse_target(
                self.targets_[index],
                "prices and token counts, or cost_usd in the training outcomes",
                f"{found} and no cost_usd",
            )

    def estimate(
        self,
        num_queries: int,
        query_tokens: np.ndarray | None = None,
        prompt_tokens: np.ndarray | None = None,
    ) -> np.ndarray:
        """(N, M) USD; see ``CostModel.estimate``."""
        assert query_tokens is None or len(query_tokens) == num_queries, (len(query_tokens), num_queries)
        shape = (num_queries, len(self.targets_))
        if query_tokens is None:
            if (self.slope_ > 0).any() and (prompt_tokens is None or np.isnan(prompt_tokens).any()):
                raise ValueError("TokenCost was fitted with query_tokens and needs them to estimate")
            sent = np.broadcast_to(self.overhead_, shape)
        else:
            sent = self.overhead_ + self.slope_ * np.asarray(query_tokens, dtype=np.float64)[:, None]
        if prompt_tokens is not None:
            sent = np.where(np.isnan(prompt_tokens), sent, prompt_tokens)
        costs = token_cost(sent, self.completion_tokens_, self.price_in_, self.price_out_)
        return np.where(np.isnan(self.observed_), costs, self.observed_)

    @property
    def median_completion_tokens(self) -> np.ndarray | None:
        """(M,) medians over the training queries, NaN where nothing is known."""
        return self.completion_tokens_

    def realised(self, outcomes: Outcomes) -> np.ndarray:
        """(Q, M) USD: `cost_usd` where recorded, else tokens x price, else NaN."""
        by_tokens = token_cost(
            outcomes.prompt_tokens, outcomes.completion_tokens, self.price_in_, self.price_out_
        )
        return np.where(np.isnan(outcomes.cost_usd), by_tokens, outcomes.cost_usd)
