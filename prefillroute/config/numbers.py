"""Refuses values that cannot be meant: NaN, and words, lists or nulls where a number belongs."""

import inspect
import math
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from omegaconf import DictConfig, OmegaConf

from prefillroute.errors import UserError


def check_numbers(config: DictConfig) -> None:
    """Refuse NaN anywhere: every comparison with NaN is false, so it would slip through all range checks.

    Raises:
        UserError: names the key.
    """
    _check("", OmegaConf.to_container(config, resolve=False))


def check_arguments_are_numbers(target: Callable[..., Any], given: Mapping[str, Any]) -> None:
    """Refuse words, lists and nulls for arguments that are annotated as numbers or booleans.

    Hydra does not check them, because the nodes of choices are open.

    Args:
        target: class or function.
        given: argument -> value.

    Raises:
        UserError: names the argument.
    """
    try:
        parameters = inspect.signature(target, eval_str=True).parameters
    except NameError:  # a third party's annotations, which only a type checker can resolve
        return
    for name, value in given.items():
        kinds = _kinds(parameters[name].annotation) if name in parameters else set()
        if kinds and not any(_is_of(value, kind) for kind in kinds):
            wanted = " or ".join(words for kind, words in KINDS.items() if kind in kinds)
            owner = getattr(target, "__name__", str(target))
            found = "null" if value is None else repr(value)
            raise UserError(f"{owner}: argument '{name}': expected {wanted}, found {found}")


KINDS: dict[Any, str] = {float: "a number", int: "a whole number", bool: "true or false", NoneType: "null"}


def _kinds(annotation: Any) -> set[Any]:
    """The kinds in an annotation that consists of ``KINDS`` only; the empty set for any other annotation."""
    is_union = get_origin(annotation) in (Union, UnionType)
    kinds = set(get_args(annotation)) if is_union else {annotation}
    return kinds if kinds <= set(KINDS) else set()


def _is_of(value: Any, kind: Any) -> bool:
    if isinstance(value, bool) or kind in (bool, NoneType):
        return type(value) is kind
    return isinstance(value, Integral if kind is int else Real)


def _check(key: str, value: Any) -> None:
    if isinstance(value, dict):
        for name, item in value.items():
            _check(f"{key}.{name}" if key else str(name), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check(f"{key}[{index}]", item)
    elif isinstance(value, float) and math.isnan(value):
        raise UserError(f"{key}: expected a number, found nan")
