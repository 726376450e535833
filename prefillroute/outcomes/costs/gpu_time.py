"""Rent of the GPUs that serve a target, the cost of a local engine (paper section 3)."""

import math
from collections.abc import Sequence

import numpy as np

from prefillroute.config.facts import TargetConfig
from prefillroute.errors import UserError
from prefillroute.outcomes.costs.contract import CostModel, refuse_target, train_medians
from prefillroute.outcomes.table import Outcomes


class GpuTimeCost(CostModel):
    """(ttft_m + o_m * itl_m) * gpu_usd_per_hour / 3600 * gpus_m, medians over the training queries.

    The inter-token latency itl of a call is (latency - ttft) / completion tokens, so only calls that recorded all
    three have one. A target without any such call has ttft_m = 0 and itl = latency / completion tokens; without
    token counts its median latency stands for the whole sum.

    Args:
        gpu_usd_per_hour: rent of one GPU, USD above 0.

    Raises:
        UserError: the rent is not a finite number above 0.

    Example:
        >>> import pandas as pd
        >>> unknown, seconds = np.full((2, 1), np.nan), np.array([[10.0], [20.0]])
        >>> queries = pd.DataFrame({"query_id": ["a", "b"], "prompt": ["short", "long"]})
        >>> outcomes = Outcomes(queries, ("m",), np.ones((2, 1)), unknown, unknown, seconds, unknown, unknown)
        >>> cost = GpuTimeCost(gpu_usd_per_hour=3.6).fit(outcomes, np.array([0, 1]), [TargetConfig("m", gpus=2)])
        >>> cost.estimate(1)
        array([[0.03]])
    """

    seconds_: np.ndarray
    usd_per_second_: np.ndarray

    def __init__(self, gpu_usd_per_hour: float) -> None:
        if not (math.isfinite(gpu_usd_per_hour) and gpu_usd_per_hour > 0):
            raise UserError(f"cost.gpu_usd_per_hour: expected USD above 0, found {gpu_usd_per_hour}")
        self.gpu_usd_per_hour = gpu_usd_per_hour

    def _fit(self, train: Outcomes, targets: Sequence[TargetConfig], query_tokens: np.ndarray | None) -> None:
        for target in targets:
            if target.gpus is None or target.gpus < 1:
                raise refuse_target(
                    target.name, "gpus of at least 1, which cost=gpu_time counts", f"gpus={target.gpus}"
                )
        gpus = np.array([target.gpus for target in targets], dtype=np.float64)
        self.usd_per_second_ = self.gpu_usd_per_hour / 3600 * gpus

        tokens = np.where(train.completion_tokens > 0, train.completion_tokens, np.nan)
        between = train_medians(np.maximum(train.latency_s - train.ttft_s, 0.0) / tokens)
        # The two readings of a latency, with and without its first token, must not be mixed in one median.
        timed = ~np.isnan(between)
        first = np.where(timed, train_medians(train.ttft_s), 0.0)
        between = np.where(timed, between, train_medians(train.latency_s / tokens))
        seconds = first + train_medians(train.completion_tokens) * between
        self.seconds_ = np.where(np.isnan(seconds), train_medians(train.latency_s), seconds)
        for index in np.flatnonzero(np.isnan(self.seconds_)):
            raise refuse_target(self.targets_[index], "latency_s in the training outcomes", "none")

    def estimate(
        self,
        num_queries: int,
        query_tokens: np.ndarray | None = None,
        prompt_tokens: np.ndarray | None = None,
    ) -> np.ndarray:
        """(N, M) USD; see ``CostModel.estimate``."""
        return np.tile(self.seconds_ * self.usd_per_second_, (num_queries, 1))

    def realised(self, outcomes: Outcomes) -> np.ndarray:
        """(Q, M) USD: recorded latency at the rent; NaN where it was not recorded."""
        return outcomes.latency_s * self.usd_per_second_
