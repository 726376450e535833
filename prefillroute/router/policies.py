"""Policies by the names that the command line uses, and back."""

from dataclasses import dataclass

from prefillroute.errors import UserError
from prefillroute.routing.policies.budget_policy import BudgetPolicy
from prefillroute.routing.policies.contract import Policy
from prefillroute.routing.policies.inverse_cost_policy import InverseCostPolicy
from prefillroute.routing.policies.lambda_policy import LambdaPolicy
from prefillroute.routing.policies.threshold_policy import ThresholdPolicy
from prefillroute.routing.policies.tolerance_policy import TolerancePolicy


@dataclass(frozen=True)
class PolicySpec:
    """One policy: its class, the constructor's one argument, the option that sets it and what it means."""

    policy: type
    argument: str
    option: str
    meaning: str


POLICIES = {
    "lambda": PolicySpec(LambdaPolicy, "lambda_", "--lambda", "weight of cost against confidence, in [0, 1]"),
    "budget": PolicySpec(BudgetPolicy, "budget_usd", "--budget", "most confident target up to X USD a query"),
    "threshold": PolicySpec(ThresholdPolicy, "threshold", "--threshold", "cheapest with P(correct) >= X"),
    "tolerance": PolicySpec(TolerancePolicy, "tolerance", "--tolerance", "cheapest within X of the best P"),
    "inverse_cost": PolicySpec(InverseCostPolicy, "alpha", "--alpha", "greatest P / cost^X"),
}


def make_policy(name: str, value: float | None) -> Policy:
    """The policy called `name`, with its one parameter.

    Raises:
        UserError: no such policy, no value, or a value out of its range.
    """
    spec = POLICIES.get(name)
    if spec is None:
        raise UserError(f"no policy '{name}'; allowed are {', '.join(POLICIES)}")
    if value is None:
        raise UserError(f"policy '{name}' needs {spec.option} ({spec.meaning})")
    try:
        policy: Policy = spec.policy(**{spec.argument: value})
    except UserError as error:
        raise UserError(str(error).replace(f"policy.{spec.argument}=", f"{spec.option} ")) from error
    return policy


def describe(policy: Policy) -> str:
    """A policy in words, for instance ``lambda=0.3``; the class's name for one of somebody else's."""
    for name, spec in POLICIES.items():
        if type(policy) is spec.policy:
            return f"{name}={getattr(policy, spec.argument):g}"
    return type(policy).__name__


def policy_spec(policy: Policy) -> dict[str, str | float]:
    """A policy as plain values, for `make_policy` to make again.

    Raises:
        UserError: it is not one of `POLICIES`.
    """
    for name, spec in POLICIES.items():
        if type(policy) is spec.policy:
            return {"name": name, "value": float(getattr(policy, spec.argument))}
    raise UserError(
        f"policy {type(policy).__name__} cannot be kept in a bundle; wanted one of {', '.join(POLICIES)}"
    )
