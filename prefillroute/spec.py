"""Turns objects into plain values and arrays and back: how bundles and checkpoints store what was built and fitted.

One mechanism for every signal, head, calibrator, cost model and policy, and two conventions, which are those of
scikit-learn: a constructor's argument is kept under its own name, and what fitting found is kept in attributes whose
names end in an underscore. Nothing is pickled, and only classes of this package that derive from `Stored` are built.
"""

import importlib
import inspect
import math
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from prefillroute.errors import UserError

PACKAGE = "prefillroute."

Kind = TypeVar("Kind", bound="Stored")


class Stored:
    """Base of everything that a router bundle may contain.

    A subclass that follows the two conventions has nothing to define.

    Example:
        >>> class Scale(Stored):
        ...     def __init__(self, factor: float = 1.0) -> None:
        ...         self.factor = factor
        >>> scale = Scale(2.0)
        >>> scale.mean_ = np.zeros(3)
        >>> scale.arguments(), scale.fitted()
        ({'factor': 2.0}, {'mean_': array([0., 0., 0.])})
    """

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments, by name."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def fitted(self) -> dict[str, Any]:
        """What fitting found, by attribute. An argument such as `lambda_` is none of it, whatever it ends in."""
        own = inspect.signature(type(self)).parameters
        return {name: value for name, value in vars(self).items() if _is_fitted(name) and name not in own}

    def refit(self, fitted: Mapping[str, Any]) -> None:
        """Take over what `fitted` of an equally built object returned.

        Raises:
            UserError: a name is not that of a fitted attribute.
        """
        for name, value in fitted.items():
            if not _is_fitted(name):
                raise UserError(f"{type(self).__name__}: expected fitted attributes, found {name!r}")
            object.__setattr__(self, name, value)  # frozen dataclasses too


def store(thing: Stored, name: str = "") -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Describe `thing` by plain JSON values, and collect its arrays.

    Args:
        thing: an object of this package.
        name: prefix of the arrays' names.

    Returns:
        The description, and the arrays by the names that it refers to.

    Raises:
        TypeError: an argument or a fitted attribute is neither a plain value, an array, a container of those, nor
            another `Stored` object.

    Example:
        >>> from prefillroute.heads.layout import Layout
        >>> spec, arrays = store(Layout(width=3))
        >>> spec["class"], spec["arguments"]["width"]
        ('prefillroute.heads.layout.Layout', 3)
        >>> restore(spec, arrays, Layout).width
        3
    """
    arrays: dict[str, np.ndarray] = {}
    return _object(thing, name, arrays), arrays


def restore(spec: Mapping[str, Any], arrays: Mapping[str, np.ndarray], kind: type[Kind]) -> Kind:
    """Build the object that `store` described.

    Args:
        spec: the description.
        arrays: at least the arrays that it refers to.
        kind: what the object must be; a bundle must not choose which code runs.

    Raises:
        UserError: the class is not a `kind` of this package, or its arguments or arrays do not fit.
    """
    path = str(spec.get("class"))
    found = _class(path)
    if not (isinstance(found, type) and issubclass(found, kind)):
        raise UserError(f"class: expected a {kind.__name__} of {PACKAGE[:-1]}, found {path!r}")
    try:
        thing = found(**{name: _value(value, arrays) for name, value in spec["arguments"].items()})
        thing.refit({name: _value(value, arrays) for name, value in spec["fitted"].items()})
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: expected what it was stored with, found {error!r:.150}") from error
    return thing


def _is_fitted(name: str) -> bool:
    return name.endswith("_") and not name.startswith("_")


def _class(path: str) -> Any:
    module, _, name = path.rpartition(".")
    if not module.startswith(PACKAGE):
        return None
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None


def _object(thing: Stored, name: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    parts = {"arguments": thing.arguments(), "fitted": thing.fitted()}
    return {"class": f"{type(thing).__module__}.{type(thing).__qualname__}"} | {
        part: {key: _plain(value, _join(name, key), arrays) for key, value in values.items()}
        for part, values in parts.items()
    }


def _plain(value: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, Stored):
        return _object(value, name, arrays)
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind not in "biuf":
            raise TypeError(f"{name}: expected an array of numbers, found {value.dtype}")
        arrays[name] = np.array(value, order="C")
        return {"array": name}
    if isinstance(value, Mapping):
        return {"dict": {str(key): _plain(item, _join(name, key), arrays) for key, item in value.items()}}
    if isinstance(value, list | tuple):
        items = [_plain(item, _join(name, number), arrays) for number, item in enumerate(value)]
        return items if isinstance(value, list) else {"tuple": items}
    if (
        value is None
        or isinstance(value, bool | int | str)
        or (isinstance(value, float) and math.isfinite(value))
    ):
        return value
    raise TypeError(f"{name}: expected a plain value, an array or a stored object, found {value!r:.60}")


def _value(plain: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if isinstance(plain, list):
        return [_value(item, arrays) for item in plain]
    if not isinstance(plain, Mapping):
        return plain
    if "class" in plain:
        return restore(plain, arrays, Stored)
    if "array" in plain:
        array = arrays[plain["array"]]
        return array if array.ndim else array[()]
    if "dict" in plain:
        return {key: _value(item, arrays) for key, item in plain["dict"].items()}
    return tuple(_value(item, arrays) for item in plain["tuple"])


def _join(name: str, key: object) -> str:
    return f"{name}.{key}" if name else str(key)
