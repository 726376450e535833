"""Reads what bundles of format 1 say of calibrator, cost model and policy; later formats are `spec.restore`'s."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from prefillroute.calibration.contract import Calibrator
from prefillroute.calibration.isotonic import IsotonicCalibrator
from prefillroute.calibration.none import NoCalibrator
from prefillroute.calibration.percentile import PercentileCalibrator
from prefillroute.calibration.platt import PlattCalibrator
from prefillroute.calibration.temperature import TemperatureCalibrator
from prefillroute.calibration.zscore import ZScoreCalibrator
from prefillroute.config.facts import TargetConfig
from prefillroute.errors import UserError
from prefillroute.outcomes.costs.contract import CostModel
from prefillroute.outcomes.costs.gpu_time import GpuTimeCost
from prefillroute.outcomes.costs.observed import ObservedCost
from prefillroute.outcomes.costs.tokens import TokenCost
from prefillroute.routing.policies.budget_policy import BudgetPolicy
from prefillroute.routing.policies.contract import Policy
from prefillroute.routing.policies.inverse_cost_policy import InverseCostPolicy
from prefillroute.routing.policies.lambda_policy import LambdaPolicy
from prefillroute.routing.policies.threshold_policy import ThresholdPolicy
from prefillroute.routing.policies.tolerance_policy import TolerancePolicy

# The names that format 1 used. The format is closed: nothing is ever added here.
CALIBRATORS: dict[str, type[Calibrator]] = {
    "platt": PlattCalibrator,
    "isotonic": IsotonicCalibrator,
    "temperature": TemperatureCalibrator,
    "percentile": PercentileCalibrator,
    "zscore": ZScoreCalibrator,
    "none": NoCalibrator,
}
LEARNED = {
    "slope": "slope_", "offset": "offset_", "knots": "knots_", "values": "values_", "mean": "mean_",
    "deviation": "deviation_", "z": "sorted_", "outcome": "outcome_",
}  # fmt: skip
TERMS: dict[str, tuple[str, ...]] = {
    "tokens": ("price_in", "price_out", "completion_tokens", "overhead", "slope", "observed"),
    "gpu_time": ("seconds", "usd_per_second"),
    "observed": ("observed",),
}
POLICIES: dict[str, Callable[[Any], Policy]] = {
    "lambda": LambdaPolicy,
    "budget": BudgetPolicy,
    "threshold": ThresholdPolicy,
    "tolerance": TolerancePolicy,
    "inverse_cost": InverseCostPolicy,
}
SINGLE = "single"
"""Stood in for the policy's name where every query goes to one target, whose name was the value."""


def calibrator_from_format1(state: Mapping[str, Any]) -> Calibrator:
    """The calibrator of `name`, `hyper` (the constructor's arguments) and `parameters` (lists by name).

    Raises:
        UserError: the name is unknown, or the state is damaged.

    Example:
        >>> calibrator_from_format1({"name": "none", "hyper": {}, "parameters": {}}).transform(np.array([[0.0]]))
        array([[0.5]])
    """
    kind = CALIBRATORS[_known("calibration.name", state.get("name"), CALIBRATORS)]
    try:
        calibrator = kind(**state["hyper"])
        calibrator.refit({LEARNED[name]: _arrays(value) for name, value in state["parameters"].items()})
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"calibration: expected the state of {state['name']!r}, found {error!r:.150}"
        ) from error
    return calibrator


def cost_from_format1(state: Mapping[str, Any], targets: Sequence[TargetConfig]) -> CostModel:
    """The cost model of `kind`, `targets` (names), `cost_range` and its terms, lists with null for NaN.

    Args:
        state: as format 1 had it.
        targets: the bundle's targets in the same order. Format 1 kept the rent of a target's GPUs and not that of one:
            it is found again from their number, to 12 digits; the estimates do not depend on it.

    Raises:
        UserError: the kind is unknown, or the state is damaged.
    """
    kind = _known("cost.kind", state.get("kind"), TERMS)
    try:
        terms = {name: np.array(state[name], dtype=np.float64) for name in TERMS[kind]}  # null becomes NaN
        low, high = state["cost_range"]
        cost: CostModel
        if kind == "gpu_time":
            gpus = targets[0].gpus
            if gpus is None:
                raise UserError(f"target '{targets[0].name}': gpus: expected their number, found none")
            cost = GpuTimeCost(float(f"{float(terms['usd_per_second'][0]) * 3600 / gpus:.12g}"))
        else:
            cost = TokenCost() if kind == "tokens" else ObservedCost()
        cost.refit(
            {
                "targets_": tuple(state["targets"]),
                "cost_range_": (float(low), float(high)),
                **{f"{name}_": term for name, term in terms.items()},
            }
        )
    except (KeyError, TypeError, IndexError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"cost: expected the state of {kind!r}, found {error!r:.150}") from error
    return cost


def policy_from_format1(spec: Mapping[str, Any], targets: Sequence[str]) -> tuple[Policy, str | None]:
    """The policy of `name` and `value`, and the target that takes every query in its place, as `policies.settled`.

    Args:
        spec: as format 1 had it.
        targets: names of the bundle's targets.

    Raises:
        UserError: the policy or the target is unknown, or the value is out of range.

    Example:
        >>> policy_from_format1({"name": "single", "value": "large"}, ["small", "large"])[1]
        'large'
    """
    name, value = spec.get("name"), spec.get("value")
    if name == SINGLE:
        return LambdaPolicy(0.0), _known(f"policy '{SINGLE}'", value, targets)
    return POLICIES[_known("policy", name, POLICIES)](value), None


def _known(key: str, name: Any, names: Sequence[str] | Mapping[str, Any]) -> str:
    if name not in names:
        raise UserError(f"{key}: expected one of {', '.join(names)}, found {name!r}")
    return str(name)


def _arrays(value: list[Any]) -> np.ndarray | tuple[np.ndarray, ...]:
    """One number for each target, or one list for each."""
    if value and isinstance(value[0], list):
        return tuple(np.array(own, dtype=np.float64) for own in value)
    return np.array(value, dtype=np.float64)
