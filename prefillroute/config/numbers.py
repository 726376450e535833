"""Values that no key can mean."""

import inspect
import math
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from omegaconf import DictConfig, OmegaConf

from prefillroute.errors import UserError


def check_numbers(config: DictConfig) -> None:
    """Refuse NaN wherever it stands: every comparison with it is false, so that it passes for any number.

    Raises:
        UserError: naming the key.
    """
    _check("", OmegaConf.to_container(config, resolve=False))


def check_arguments_are_numbers(target: Callable[..., Any], given: Mapping[str, Any]) -> None:
    """Refuse words, lists and nulls for arguments that are numbers or truth values by their annotation.

    The nodes of choices are open, so that Hydra takes anything for them.

    Args:
        target: class or function.
        given: argument -> value.

    Raises:
        UserError: naming the argument.
    """
    try:
        parameters = inspect.signature(target, eval_str=True).parameters
    except NameError:  # somebody else's annotations, which only a type checker can read
        return
    for name, value in given.items():
        kinds = _kinds(parameters[name].annotation) if name in parameters else set()
        if kinds and not any(_is_of(value, kind) for kind in kinds):
            wanted = " or ".join(words for kind, words in KINDS.items() if kind in kinds)
            owner = getattr(target, "__name__", str(target))
            found = "null" if value is None else repr(value)
            raise UserError(f"{owner}: argument '{name}' is {found}; expected {wanted}")


KINDS: dict[Any, str] = {float: "a number", int: "a whole number", bool: "true or false", NoneType: "null"}


def _kinds(annotation: Any) -> set[Any]:
    """Of an annotation that is made of ``KINDS`` alone; of any other none."""
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
