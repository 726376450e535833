"""The one place that instantiates: a choice node (``_target_`` and hyper-parameters) becomes an object."""

import inspect
from collections.abc import Collection, Mapping
from typing import Any

from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

from prefillroute.config.numbers import check_arguments_are_numbers
from prefillroute.errors import UserError

HYDRA_KEYS = ("_target_", "_partial_", "_convert_", "_recursive_", "_args_")


def build(node: DictConfig | Mapping[str, Any], **runtime: Any) -> Any:
    """Instantiate a choice with what a person chose (the node) and what the data decides (``runtime``).

    What a person chose wins over the data.

    Raises:
        UserError: for an argument that the target does not take, naming those it takes, and for a bad value.
        AssertionError: for a runtime value that the target does not take.
    """
    check_arguments(node, runtime)
    target = _target(node)
    plain = OmegaConf.to_container(node, resolve=True) if isinstance(node, DictConfig) else dict(node)
    assert isinstance(plain, dict)
    chosen = {str(key): value for key, value in plain.items() if str(key) not in HYDRA_KEYS}
    if plain.get("_recursive_", True):
        chosen = {key: _build_inside(value) for key, value in chosen.items()}
    # Called directly: hydra.utils.instantiate would wrap a UserError of the constructor in its own.
    return target(**{**runtime, **chosen})


def _build_inside(value: Any) -> Any:
    """A choice inside another one's arguments is built first, as Hydra does."""
    if not isinstance(value, Mapping):
        return value
    if "_target_" in value:
        return build(value)
    return {key: _build_inside(item) for key, item in value.items()}


def check_arguments(node: DictConfig | Mapping[str, Any], runtime: Collection[str] = ()) -> None:
    """Bind a choice node to its constructor's signature without calling it.

    Raises:
        UserError: naming the argument that is unknown or missing, and the allowed ones, or that is no number.
        AssertionError: naming the runtime value that the target does not take.
    """
    target = _target(node)
    signature = inspect.signature(target)
    own = [str(key) for key in node if str(key) not in HYDRA_KEYS]
    name = getattr(target, "__name__", str(target))
    takes_all = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in signature.parameters.values())
    for key in own:
        if key not in signature.parameters and not takes_all:
            raise UserError(f"{name}: no argument '{key}'; allowed are {', '.join(signature.parameters)}")
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
            raise UserError(f"{name}: argument '{key}' is missing")


def _check_inside(node: Mapping[str, Any]) -> None:
    for value in node.values():
        if not isinstance(value, Mapping | DictConfig):
            continue
        if "_target_" in value:
            check_arguments(value)
        else:
            _check_inside(value)


def class_name(node: DictConfig | Mapping[str, Any]) -> str:
    """Name of the class that a choice names, without its module.

    Raises:
        UserError: it names none.
    """
    return _path(node).rpartition(".")[2]


def _path(node: DictConfig | Mapping[str, Any]) -> str:
    path = node.get("_target_")
    if not path:
        raise UserError(f"a choice needs a _target_; found the keys {', '.join(map(str, node)) or 'none'}")
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
        raise UserError(f"_target_: {path} cannot be imported ({str(error).splitlines()[0]})") from error
