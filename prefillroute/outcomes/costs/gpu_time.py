"""Rent of the GPUs that serve a target, the cost of a local engine (paper section 3)."""

import math
from collections.abc import Sequence

import numpy as np

from prefillroute.config.facts import TargetConfig
from prefillroute.errors import UserError
from prefillroute.outcomes.costs.contract import CostModel, num_rows, refuse_target, train_medians
from prefillroute.outcomes.table import Outcomes


class GpuTimeCost(CostModel):
    """(ttft_m + o_m * itl_m) * gpu_usd_per_hour / 3600 * gpus_m, medians over the training queries.

    The inter-token latency itl of a call is (latency - ttft) / completion tokens. Where the time to first
    token was not recorded it counts as 0; without token counts the median latency stands for the whole sum.

    Args:
        gpu_usd_per_hour: rent of one GPU.
    """

    kind = "gpu_time"
    seconds_: np.ndarray
    usd_per_second_: np.ndarray

    def __init__(self, gpu_usd_per_hour: float) -> None:
        if not (math.isfinite(gpu_usd_per_hour) and gpu_usd_per_hour > 0):
            raise UserError(f"cost.gpu_usd_per_hour is {gpu_usd_per_hour}; expected USD above 0")
        self.gpu_usd_per_hour = gpu_usd_per_hour

    def _fit(self, train: Outcomes, targets: Sequence[TargetConfig], query_tokens: np.ndarray | None) -> None:
        for target in targets:
            if target.gpus is None or target.gpus < 1:
                raise refuse_target(
                    target.name, f"gpus is {target.gpus}, so cost=gpu_time cannot count its GPUs"
                )
        gpus = np.array([target.gpus for target in targets], dtype=np.float64)
        self.usd_per_second_ = self.gpu_usd_per_hour / 3600 * gpus

        first = np.where(np.isnan(train.ttft_s), 0.0, train.ttft_s)
        tokens = np.where(train.completion_tokens > 0, train.completion_tokens, np.nan)
        between = np.maximum(train.latency_s - first, 0.0) / tokens  # one call's itl
        typical_first = np.nan_to_num(train_medians(train.ttft_s))
        seconds = typical_first + train_medians(train.completion_tokens) * train_medians(between)
        self.seconds_ = np.where(np.isnan(seconds), train_medians(train.latency_s), seconds)
        for index in np.flatnonzero(np.isnan(self.seconds_)):
            raise refuse_target(self.targets_[index], "has no latency_s in the training outcomes")

    def estimate(
        self, query_tokens: np.ndarray | None = None, prompt_tokens: np.ndarray | None = None
    ) -> np.ndarray:
        """(N, M) USD; see ``CostModel.estimate``."""
        return np.tile(self.seconds_ * self.usd_per_second_, (num_rows(query_tokens, prompt_tokens), 1))

    def realised(self, outcomes: Outcomes) -> np.ndarray:
        """(Q, M) USD: recorded latency at the rent; NaN where it was not recorded."""
        return outcomes.latency_s * self.usd_per_second_

    def _terms(self) -> dict[str, np.ndarray]:
        return {"seconds": self.seconds_, "usd_per_second": self.usd_per_second_}
