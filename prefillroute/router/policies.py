"""Maps the command line's names of policies to policies, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prefillroute.errors import UserError
from prefillroute.routing.guard import LambdaChoice
from prefillroute.routing.policies.budget_policy import BudgetPolicy
from prefillroute.routing.policies.contract import Policy
from prefillroute.routing.policies.inverse_cost_policy import InverseCostPolicy
from prefillroute.routing.policies.lambda_policy import LambdaPolicy
from prefillroute.routing.policies.threshold_policy import ThresholdPolicy
from prefillroute.routing.policies.tolerance_policy import TolerancePolicy


@dataclass(frozen=True)
class PolicySpec:
    """One policy: its class, the only argument of its constructor, the option that sets it and what it means."""

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
        UserError: the policy is unknown, or the value is missing or out of range.

    Example:
        >>> describe(make_policy("lambda", 0.3))
        'lambda=0.3'
    """
    spec = POLICIES.get(name)
    if spec is None:
        raise UserError(f"policy: expected one of {', '.join(POLICIES)}, found '{name}'")
    if value is None:
        raise UserError(f"policy '{name}': expected {spec.option} ({spec.meaning}), found none")
    try:
        policy: Policy = spec.policy(**{spec.argument: value})
    except UserError as error:
        raise UserError(str(error).replace(f"policy.{spec.argument}=", f"{spec.option} ")) from error
    return policy


SINGLE = "single"
"""Stands in for the policy's name in a bundle that sends every query to one target; the value is that target's name."""
GUARDED = "guard (no gain over this target was shown)"
"""What a decision of such a bundle gives as its policy."""


def describe(policy: Policy) -> str:
    """A policy in words, for instance ``lambda=0.3``; for a policy from elsewhere, the name of its class."""
    for name, spec in POLICIES.items():
        if type(policy) is spec.policy:
            return f"{name}={getattr(policy, spec.argument) or 0.0:g}"
    return type(policy).__name__


def restore_policy(spec: Mapping[str, Any], targets: Sequence[str]) -> tuple[Policy, str | None]:
    """Inverse of `policy_spec`.

    Args:
        spec: `name` and `value`.
        targets: names of the bundle's targets.

    Returns:
        The policy, and the target that takes every query in the policy's place, or None if there is no such target.
        The policy of a bundle with such a target is highest confidence; it applies where callers exclude that target.

    Raises:
        UserError: the policy or the target is unknown, or the value is out of range.
    """
    name, value = spec["name"], spec["value"]
    if name != SINGLE:
        return make_policy(name, value), None
    if value not in targets:
        raise UserError(f"policy '{SINGLE}': expected one of {', '.join(targets)}, found '{value}'")
    return LambdaPolicy(0.0), str(value)


def policy_spec(
    policy: Policy, choice: LambdaChoice | None = None, targets: Sequence[str] = ()
) -> dict[str, str | float]:
    """What a bundle stores of a policy, as plain values.

    Args:
        policy: one of `POLICIES`.
        choice: the run's choice of lambda; it stands in for a parameter that is None.
        targets: names in pool order.

    Returns:
        `name` and `value`, from which `make_policy` builds the policy again; or `SINGLE` and a target if the run found
        no evidence that leaving the best single target helps.

    Raises:
        UserError: `policy` is not one of `POLICIES`.
    """
    for name, spec in POLICIES.items():
        if type(policy) is spec.policy:
            value = getattr(policy, spec.argument)
            if value is None and choice is not None:
                if choice.chosen is None:
                    return {"name": SINGLE, "value": targets[choice.best_single]}
                value = choice.chosen.lambda_
            return {"name": name, "value": float(value or 0.0)}
    raise UserError(
        f"policy: expected one that a bundle can hold ({', '.join(POLICIES)}), found {type(policy).__name__}"
    )
