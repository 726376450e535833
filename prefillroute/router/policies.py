"""Policies as the command line, decisions and bundles name them."""

from collections.abc import Sequence
from functools import cache

from prefillroute.errors import UserError
from prefillroute.routing import policies
from prefillroute.routing.guard import LambdaChoice
from prefillroute.routing.policies.contract import OutOfRangeError, Policy
from prefillroute.variants import classes_of

GUARDED = "guard (no gain over this target was shown)"
"""What a decision gives as its policy where the bundle sends every query to one target."""


@cache
def known_policies() -> dict[str, type[Policy]]:
    """Every policy of the package by the name of its option in `conf/policy`.

    Example:
        >>> known_policies()["budget"].parameter.option
        '--budget'
    """
    return {kind.option_name(): kind for kind in classes_of(policies, Policy).values()}


def make_policy(name: str, value: float | None) -> Policy:
    """The policy called `name`, with its one parameter.

    Raises:
        UserError: the policy is unknown, or the value is missing or out of range.

    Example:
        >>> describe(make_policy("lambda", 0.3))
        'lambda=0.3'
    """
    kind = known_policies().get(name)
    if kind is None:
        raise UserError(f"policy: expected one of {', '.join(known_policies())}, found '{name}'")
    parameter = kind.parameter
    if parameter is None:
        return kind()
    if value is None:
        raise UserError(f"policy '{name}': expected {parameter.option} ({parameter.meaning}), found none")
    try:
        return kind(**{parameter.argument: value})
    except OutOfRangeError as error:
        raise UserError(error.at(parameter.option)) from error


def describe(policy: Policy) -> str:
    """A policy in words, for instance ``lambda=0.3``; for one without a parameter, the name of its class."""
    if policy.parameter is None:
        return type(policy).__name__
    return f"{policy.option_name()}={policy.value() or 0.0:g}"


def settled(policy: Policy, choice: LambdaChoice | None, targets: Sequence[str]) -> tuple[Policy, str | None]:
    """What a bundle holds of a policy: nothing in it is left to the run.

    Args:
        policy: the run's policy.
        choice: the run's choice of lambda, for a policy whose parameter is None.
        targets: names in pool order.

    Returns:
        The policy with its parameter filled in, and the target that takes every query in the policy's place, or None
        if there is no such target. There is one if the run found no evidence that leaving the best single target
        helps; the policy then is highest confidence, and applies where callers exclude that target.

    Example:
        >>> from prefillroute.routing.policies.lambda_policy import LambdaPolicy
        >>> policy, single = settled(LambdaPolicy(None), None, ["small", "large"])
        >>> describe(policy), single
        ('lambda=0', None)
    """
    if policy.parameter is None or policy.value() is not None:
        return policy, None
    chosen = None if choice is None else choice.chosen
    value = 0.0 if chosen is None else chosen.lambda_
    single = targets[choice.best_single] if choice is not None and chosen is None else None
    return type(policy)(**{**policy.arguments(), policy.parameter.argument: value}), single
