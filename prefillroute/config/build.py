"""The one place that turns a choice node (``_target_`` and hyper-parameters) into an object."""

import inspect
from collections.abc import Collection, Mapping
from typing import Any

from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

from prefillroute.config.numbers import check_arguments_are_numbers
from prefillroute.errors import UserError

HYDRA_KEYS = ("_target_", "_partial_", "_convert_", "_recursive_", "_args_")


def build(node: DictConfig | Mapping[str, Any], **runtime: Any) -> Any:
    """Instantiate a choice from what a person chose (the node) and what the data determines (``runtime``).

    A value that a person chose takes precedence over a runtime value.

    Raises:
        UserError: the target does not accept an argument (the message names those it accepts), or a value is bad.
        AssertionError: the target does not accept a runtime value.
    """
    check_arguments(node, runtime)
    target = _target(node)
    plain = OmegaConf.to_container(node, resolve=True) if isinstance(node, DictConfig) else dict(node)
    assert isinstance(plain, dict)
    chosen = {str(key): value for key, value in plain.items() if str(key) not in HYDRA_KEYS}
    if plain.get("_recursive_", True):
        chosen = {key: _build_inside(value) for key, value in chosen.items()}
    # Call the target directly: hydra.utils.instantiate would wrap a UserError of the constructor in its own error.
    return target(**{**runtime, **chosen})


def _build_inside(value: Any) -> Any:
    """Build the choices inside another choice's arguments, as Hydra does."""
    if not isinstance(value, Mapping):
        return value
    if "_target_" in value:
        return build(value)
    return {key: _build_inside(item) for key, item in value.items()}


def check_arguments(node: DictConfig | Mapping[str, Any], runtime: Collection[str] = ()) -> None:
    """Check a choice node against its constructor's signature, without calling it.

    Raises:
        UserError: an argument is unknown (the message names the allowed ones), missing, or not a number as it must be.
        AssertionError: the target does not accept a runtime value.
    """
    target = _target(node)
    signature = inspect.signature(target)
    own = [str(key) for key in node if str(key) not in HYDRA_KEYS]
    name = getattr(target, "__name__", str(target))
    takes_all = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in signature.parameters.values())
    for key in own:
        if key not in signature.parameters and not takes_all:
            raise UserError(
                f"{name}: expected arguments among {', '.join(signature.parameters)}, found '{key}'"
            )
    for key in runtime:
        assert key in signature.parameters or takes_all, f"{name}: no argument '{key}', which the run passes"
    values = {key: node[key] for key in own}
    check_arguments_are_numbers(target, values)
    if node.get("_recursive_", True):
        _check_inside(values)
    given = {*own, *runtime}
    for key, parameter in signature.parameters.items():
        variadic = parameter.kind in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        if parameter.default is inspect.Parameter.empty and not variadic and key not in given:
            raise UserError(f"{name}: expected argument '{key}', found none")


def _check_inside(node: Mapping[str, Any]) -> None:
    for value in node.values():
        if not isinstance(value, Mapping | DictConfig):
            continue
        if "_target_" in value:
            check_arguments(value)
        else:
            _check_inside(value)


def class_name(node: DictConfig | Mapping[str, Any]) -> str:
    """Name of the class that a choice instantiates, without its module.

    Raises:
        UserError: the choice has no `_target_`.
    """
    return _path(node).rpartition(".")[2]


def _path(node: DictConfig | Mapping[str, Any]) -> str:
    path = node.get("_target_")
    if not path:
        raise UserError(
            f"_target_: expected the path of a class, found only the keys {', '.join(map(str, node)) or '(none)'}"
        )
    return str(path)


def _target(node: DictConfig | Mapping[str, Any]) -> Any:
    """What a choice names: a class or a function.

    Raises:
        UserError: it names none, or one that cannot be imported.
    """
    path = _path(node)
    try:
        return get_object(path)
    except Exception as error:  # Hydra wraps whatever the import raised
        raise UserError(
            f"_target_: expected a class that can be imported, found {path} ({str(error).splitlines()[0]})"
        ) from error
