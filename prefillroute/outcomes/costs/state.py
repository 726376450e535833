"""A fitted cost model back from a router bundle."""

from collections.abc import Mapping
from typing import Any

from prefillroute.errors import UserError
from prefillroute.outcomes.costs.contract import CostModel
from prefillroute.outcomes.costs.gpu_time import GpuTimeCost
from prefillroute.outcomes.costs.observed import ObservedCost
from prefillroute.outcomes.costs.tokens import TokenCost

MODELS: dict[str, type[CostModel]] = {model.kind: model for model in (TokenCost, GpuTimeCost, ObservedCost)}


def cost_from_state(state: Mapping[str, Any]) -> CostModel:
    """The cost model whose ``state()`` this is.

    Raises:
        UserError: for a kind that this version does not know.
    """
    kind = state.get("kind")
    if kind not in MODELS:
        raise UserError(f"cost model of kind {kind!r}; expected one of {', '.join(MODELS)}")
    return MODELS[kind].from_state(state)
