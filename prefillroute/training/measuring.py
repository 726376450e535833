"""What `evaluation` of a configuration asks for: how a run is measured, and what its router is counted to cost."""

import logging
from typing import Any

import numpy as np
from omegaconf import DictConfig

from prefillroute.outcomes.costs.prefill import prefill_cost

log = logging.getLogger(__name__)


def evaluation_settings(config: DictConfig) -> dict[str, Any]:
    """The arguments of `evaluate`; the router's cost is part of the table instead."""
    return {str(key): value for key, value in config.evaluation.items() if key != "router_cost"}


def router_cost(config: DictConfig, query_tokens: np.ndarray | None) -> np.ndarray | None:
    """USD of reading each query (Q,); None where nothing is to be counted.

    Args:
        config: the run's.
        query_tokens: (Q,) by the tokenizer of the first encoder; None for a predictor that reads none, whose cost is
            not counted.
    """
    if config.evaluation.router_cost.usd_per_hour == 0:
        return None
    if query_tokens is None:
        log.info("evaluation.router_cost: this predictor reads no encoder, so nothing is counted")
        return None
    return prefill_cost(query_tokens, **config.evaluation.router_cost)
